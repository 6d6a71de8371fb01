// NVIDIA, sm_90: NVRTC's built-ins and PTX.
#pragma once

#include "gpu/types.h"

#define INGOT_KERNEL(threads, groups) extern "C" __global__ __launch_bounds__(threads, groups)
#define INGOT_DEVICE static __device__ __forceinline__
#define INGOT_MEMBER __device__ __forceinline__

namespace ingot_gpu {

inline constexpr int lanes = 32;
inline constexpr int lane_loads = 12;
inline constexpr int offset_reach = 1 << 23;
// Workgroups bring tiles of weights into shared memory by bulk copies.
inline constexpr bool has_bulk_copy = true;
// Shared memory of a workgroup, bytes.
inline constexpr int group_memory = 232448;

INGOT_DEVICE int thread_index() {
    return int(threadIdx.x);
}
INGOT_DEVICE int uniform(int v) {
    return v;
}
INGOT_DEVICE const u8* scalar(const u8* p) {
    return p;
}
template <class T>
INGOT_DEVICE T uniform_32(T v) {
    return v;
}
INGOT_DEVICE int group_index() {
    return int(blockIdx.x);
}
INGOT_DEVICE int group_index_y() {
    return int(blockIdx.y);
}
INGOT_DEVICE int group_count() {
    return int(gridDim.x);
}

extern __shared__ u32 dynamic_shared[];
INGOT_DEVICE u8* shared_memory() {
    return reinterpret_cast<u8*>(dynamic_shared);
}

template <class T>
INGOT_DEVICE T shuffle_xor(T v, int mask) {
    return __shfl_xor_sync(0xffffffffu, v, mask);
}
template <class T, class F>
INGOT_DEVICE T fold_32(T v, F f) {
#pragma unroll
    for (int mask = 16; mask > 0; mask /= 2)
        v = f(v, shuffle_xor(v, mask));
    return v;
}
INGOT_DEVICE u32 max_of_32(u32 v) {
    return __reduce_max_sync(0xffffffffu, v);
}
INGOT_DEVICE i32 sum_of_32(i32 v) {
    return __reduce_add_sync(0xffffffffu, v);
}
INGOT_DEVICE i32 dot4(i32 sum, u32 a, u32 b) {
    return __dp4a(int(a), int(b), sum);
}
inline constexpr bool has_mixed_dot4 = true;
INGOT_DEVICE i32 dot4_mixed(i32 sum, u32 a, u32 b) {
    asm("dp4a.u32.s32 %0, %1, %2, %0;" : "+r"(sum) : "r"(a), "r"(b));
    return sum;
}
INGOT_DEVICE void barrier() {
    __syncthreads();
}
template <int N>
INGOT_DEVICE void part_barrier() {
    asm volatile("bar.sync 1, %0;" ::"n"(N) : "memory");
}
// Barrier `Id` of `N` threads: some wait, some only say that they came.
template <int Id, int N>
INGOT_DEVICE void named_barrier() {
    asm volatile("bar.sync %0, %1;" ::"n"(Id), "n"(N) : "memory");
}
template <int Id, int N>
INGOT_DEVICE void named_barrier_arrive() {
    asm volatile("bar.arrive %0, %1;" ::"n"(Id), "n"(N) : "memory");
}
INGOT_DEVICE void wave_barrier() {
    __syncwarp();
}
INGOT_DEVICE void keep_order() {} // ptxas has its own
INGOT_DEVICE void fence() {
    __threadfence();
}
INGOT_DEVICE u32 atomic_add(u32* p, u32 v) {
    return atomicAdd(p, v);
}
INGOT_DEVICE u64 atomic_max(u64* p, u64 v) {
    return atomicMax(p, v);
}
INGOT_DEVICE Words4 load_streaming(const void* p) {
    Words4 v;
    asm volatile("ld.global.nc.L1::no_allocate.v4.u32 {%0, %1, %2, %3}, [%4];"
                 : "=r"(v.x), "=r"(v.y), "=r"(v.z), "=r"(v.w)
                 : "l"(p));
    return v;
}
INGOT_DEVICE f32 load_fresh(const f32* p) {
    return __ldcg(p);
}
INGOT_DEVICE u64 load_fresh(const u64* p) {
    return __ldcg(p);
}

INGOT_DEVICE f32 f16_to_f32(u16 h) {
    f32 f;
    asm("cvt.f32.f16 %0, %1;" : "=f"(f) : "h"(h));
    return f;
}
INGOT_DEVICE u16 f32_to_f16(f32 f) {
    u16 h;
    asm("cvt.rn.f16.f32 %0, %1;" : "=h"(h) : "f"(f));
    return h;
}
// Bytes 0 and 2 of a word (which = 0), or 1 and 3, each below a byte 0x64.
INGOT_DEVICE u32 bytes_below_64(u32 a, int which) {
    return __byte_perm(a, 0x64646464u, which == 0 ? 0x4240 : 0x4341);
}
// (a & mask) | bits
INGOT_DEVICE u32 masked_or(u32 a, u32 mask, u32 bits) {
    u32 r;
    asm("lop3.b32 %0, %1, %2, %3, 0xea;" : "=r"(r) : "r"(a), "r"(mask), "r"(bits));
    return r;
}
// Pairs of f16 in a word, the first in the low half.
INGOT_DEVICE u32 pair_f16(f32 first, f32 second) {
    u32 p;
    asm("cvt.rn.f16x2.f32 %0, %1, %2;" : "=r"(p) : "f"(second), "f"(first));
    return p;
}
INGOT_DEVICE u32 sub_pairs(u32 a, u32 b) {
    u32 p;
    asm("sub.rn.f16x2 %0, %1, %2;" : "=r"(p) : "r"(a), "r"(b));
    return p;
}
INGOT_DEVICE u32 mul_pairs(u32 a, u32 b) {
    u32 p;
    asm("mul.rn.f16x2 %0, %1, %2;" : "=r"(p) : "r"(a), "r"(b));
    return p;
}
INGOT_DEVICE u32 fma_pairs(u32 a, u32 b, u32 c) {
    u32 p;
    asm("fma.rn.f16x2 %0, %1, %2, %3;" : "=r"(p) : "r"(a), "r"(b), "r"(c));
    return p;
}
INGOT_DEVICE f32 dot2(f32 sum, u32 a, u32 b) {
    return ::fmaf(f16_to_f32(u16(a >> 16)), f16_to_f32(u16(b >> 16)),
                  ::fmaf(f16_to_f32(u16(a)), f16_to_f32(u16(b)), sum));
}
INGOT_DEVICE u32 low_halves(u32 a, u32 b) {
    return __byte_perm(a, b, 0x5410);
}
INGOT_DEVICE u32 high_halves(u32 a, u32 b) {
    return __byte_perm(a, b, 0x7632);
}
INGOT_DEVICE f32 exp(f32 x) {
    return __expf(x);
}
INGOT_DEVICE f32 tanh(f32 x) {
    return ::tanhf(x);
}
INGOT_DEVICE f32 rsqrt(f32 x) {
    return 1.0f / ::sqrtf(x);
}
INGOT_DEVICE f32 sqrt(f32 x) {
    return ::sqrtf(x);
}
// Within a few units in the last place.
INGOT_DEVICE f32 reciprocal(f32 x) {
    f32 y;
    asm("rcp.approx.f32 %0, %1;" : "=f"(y) : "f"(x));
    return y;
}
INGOT_DEVICE f32 max(f32 a, f32 b) {
    return ::fmaxf(a, b);
}
INGOT_DEVICE f32 abs(f32 a) {
    return ::fabsf(a);
}
// To nearest even.
INGOT_DEVICE i32 round_to_int(f32 x) {
    return __float2int_rn(x);
}
// In radians, of the large angles of late positions too. The library's way for those needs private memory.
// Here whole turns go first (Cody & Waite 1980, 2π in two parts), then the hardware's approximation:
// within 6.2e-7 up to an angle of 131072, measured on an H100.
INGOT_DEVICE void sine_cosine(f32 x, f32& s, f32& c) {
    const f32 turns = ::rintf(x * 0.15915494309f);
    const f32 part = ::fmaf(turns, 0x1.777a5cp-23f, ::fmaf(turns, -0x1.921fb6p+2f, x));
    s = __sinf(part);
    c = __cosf(part);
}
INGOT_DEVICE u32 bits_of(f32 x) {
    return __float_as_uint(x);
}
INGOT_DEVICE f32 float_of(u32 x) {
    return __uint_as_float(x);
}

INGOT_DEVICE void wait_for_dependencies() {
    asm volatile("griddepcontrol.wait;" ::: "memory");
}
INGOT_DEVICE void start_dependents() {
    asm volatile("griddepcontrol.launch_dependents;" ::: "memory");
}

// --- Warpgroups (four waves) hand registers to each other (PTX ISA, "setmaxnreg").
template <int Registers>
INGOT_DEVICE void take_registers() {
    asm volatile("setmaxnreg.inc.sync.aligned.u32 %0;" ::"n"(Registers));
}
template <int Registers>
INGOT_DEVICE void give_registers() {
    asm volatile("setmaxnreg.dec.sync.aligned.u32 %0;" ::"n"(Registers));
}

// --- Bulk copies and their barriers (PTX ISA, "mbarrier" and "cp.async.bulk").
INGOT_DEVICE u32 shared_address(const void* p) {
    return u32(__cvta_generic_to_shared(p));
}
INGOT_DEVICE void mbarrier_init(u64* b, u32 arrivals) {
    asm volatile("mbarrier.init.shared::cta.b64 [%0], %1;" ::"r"(shared_address(b)), "r"(arrivals)
                 : "memory");
}
INGOT_DEVICE void mbarrier_init_fence() {
    asm volatile("fence.mbarrier_init.release.cluster;" ::: "memory");
}
INGOT_DEVICE void mbarrier_expect(u64* b, u32 bytes) {
    asm volatile("mbarrier.arrive.expect_tx.shared::cta.b64 _, [%0], %1;" ::"r"(shared_address(b)), "r"(bytes)
                 : "memory");
}
INGOT_DEVICE void mbarrier_arrive(u64* b) {
    asm volatile("mbarrier.arrive.shared::cta.b64 _, [%0];" ::"r"(shared_address(b)) : "memory");
}
INGOT_DEVICE void mbarrier_wait(u64* b, u32 parity) {
    asm volatile("{\n"
                 ".reg .pred done;\n"
                 "again:\n"
                 "mbarrier.try_wait.parity.shared::cta.b64 done, [%0], %1;\n"
                 "@!done bra again;\n"
                 "}" ::"r"(shared_address(b)),
                 "r"(parity)
                 : "memory");
}
// `bytes` is a multiple of 16, both addresses too. Weights are read once: the second-level cache gives them
// up first.
INGOT_DEVICE void bulk_copy(void* to, const void* from, u32 bytes, u64* b) {
    asm volatile(
        "{\n"
        ".reg .b64 policy;\n"
        "createpolicy.fractional.L2::evict_first.b64 policy, 1.0;\n"
        "cp.async.bulk.shared::cluster.global.mbarrier::complete_tx::bytes.L2::cache_hint [%0], [%1], %2, "
        "[%3], policy;\n"
        "}" ::"r"(shared_address(to)),
        "l"(from), "r"(bytes), "r"(shared_address(b))
        : "memory");
}

} // namespace ingot_gpu
