// What differs between GPUs: one header each, all with the same names.
//
//   lanes                    threads that run in step (32 or 64); algorithms here work in groups of 32 all
//   the
//                            same
//   lane_loads               of sixteen bytes: how many a lane should have on their way
//   thread_index() ...       place in the launch
//   uniform(v)               v, which is the same for all lanes that run in step; uniform_32(v): for 32 lanes
//   scalar(p)                an address that is the same for all of them, to which a lane adds its own
//   offset;
//                            the load adds less than offset_reach for nothing
//   keep_order()             the compiler moves nothing past it
//   shuffle_xor(v, mask)     the value of the lane whose index differs in the bits of `mask` < 32
//   fold_32(v, f)            f over the values of 32 lanes, in all of them
//   dot2(sum, a, b)          sum + the products of two pairs of f16
//   low_halves, high_halves  of two words, as one
//   dot4(sum, a, b)          sum + the products of four pairs of signed bytes
//   dot4_mixed(sum, a, b)    the same with bytes of a unsigned, where has_mixed_dot4
//   barrier()                of the workgroup; part_barrier<N>() of its first N threads, wave_barrier() of 32
//                            lanes
//   fence()                  what this thread wrote is seen by the device before what it writes next
//   atomic_add, atomic_max   on device memory, relaxed, giving the value before
//   load_streaming(p)        16 bytes that are read once, past the first-level cache
//   load_fresh(p)            what other workgroups wrote in this launch
//   f16_to_f32, f32_to_f16   to nearest even
//   exp, rsqrt, ...          to 2 units in the last place or so
//   wait_for_dependencies()  until the launches before are complete, where launches may overlap
//   start_dependents()       lets the launch after this one begin
#pragma once

#if defined(INGOT_NVPTX)
#include "gpu/target/nvptx.h"
#else
#include "gpu/target/amdgcn.h"
#endif

namespace ingot_gpu {

// What two numbers lose as f16, in f16.
INGOT_DEVICE u32 rest_of_pair(f32 first, f32 second) {
    const u32 pair = pair_f16(first, second);
    return pair_f16(first - f16_to_f32(u16(pair)), second - f16_to_f32(u16(pair >> 16)));
}

} // namespace ingot_gpu
