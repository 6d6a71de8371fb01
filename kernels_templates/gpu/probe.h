// What a card can do at best, by kernels that do nothing else.
#pragma once

#include "gpu/matrix.h"
#if defined(INGOT_NVPTX)
#include "gpu/matrix/wgmma.h"
#endif

namespace ingot_gpu {

// Reads `words` of 16 bytes, each once, all workgroups together. `words` is a multiple of 8 * Threads.
template <int Threads>
INGOT_DEVICE void read_once(const u8* data, u32* out, int words) {
    constexpr int at_once = 8; // loads in flight of a thread
    const Words4* const all = reinterpret_cast<const Words4*>(data);
    u32 any = 0;
    for (int at = group_index() * Threads * at_once + thread_index(); at < words;
         at += group_count() * Threads * at_once) {
        Words4 w[at_once];
#pragma unroll
        for (int i = 0; i < at_once; ++i)
            w[i] = load_streaming(all + at + i * Threads);
#pragma unroll
        for (int i = 0; i < at_once; ++i)
            any |= w[i].x | w[i].y | w[i].z | w[i].w;
    }
    if (any != 0) out[0] = any; // the memory is zero, which no compiler knows
}

// Multiplies tiles of 16 x 16 for `rounds` rounds. out[0] becomes how many multiplications and additions a
// workgroup does in a round. Takes 2048 bytes of shared memory, and 1024 for each wave of 32 lanes.
template <int Threads>
INGOT_DEVICE void multiply_matrices(u32* out, int rounds) {
    constexpr int at_once = 8, stride = 32; // independent sums of a wave; f16 of a row
    u16* const tiles = reinterpret_cast<u16*>(shared_memory());
    for (int i = thread_index(); i < 2 * 16 * stride; i += Threads)
        tiles[i] = f32_to_f16(1.0f / f32(1 + i % 7));
    barrier();
    const Operand16 left = load_left(tiles, stride), right = load_right(tiles + 16 * stride, stride);
    Sums16 sums[at_once];
#pragma unroll
    for (int i = 0; i < at_once; ++i)
        clear(sums[i]);
    for (int n = 0; n < rounds; ++n) {
#pragma unroll
        for (int i = 0; i < at_once; ++i)
            multiply(sums[i], left, right);
    }
    f32* const results = reinterpret_cast<f32*>(tiles + 2 * 16 * stride) + thread_index() / lanes * 256;
    f32 total = 0.0f;
#pragma unroll
    for (int i = 0; i < at_once; ++i) {
        store(sums[i], results, 16);
        wave_barrier();
        total += results[thread_index() % lanes];
        wave_barrier();
    }
    if (group_index() == 0 && thread_index() == 0)
        out[0] = u32(Threads / lanes * at_once * 2 * 16 * 16 * matrix_depth);
    if (total < 0.0f) out[1] = bits_of(total); // not of positive numbers, which no compiler knows
}

#if defined(INGOT_NVPTX)
// The same on warpgroup instructions. Takes 1 KiB of shared memory and a panel.
template <int Threads>
INGOT_DEVICE void multiply_panels(u32* out, int rounds) {
    u8* const panel = shared_memory() + (1024 - shared_address(shared_memory()) % 1024) % 1024;
    for (int i = thread_index(); i < right_panel_bytes / 2; i += Threads)
        reinterpret_cast<u16*>(panel)[i] = f32_to_f16(1.0f / f32(1 + i % 7));
    products_see_writes();
    barrier();
    constexpr u32 ones = 0x3c003c00u; // of f16
    constexpr int depth = 64;         // of a panel
    WarpgroupSums sums = {};
    for (int n = 0; n < rounds; ++n) {
        products_fence();
#pragma unroll
        for (int k = 0; k < depth / 16; ++k)
            multiply(sums, ones, ones, ones, ones, right_panel(panel, k));
        products_commit();
        products_wait(sums);
    }
    f32 total = 0.0f;
#pragma unroll
    for (int i = 0; i < 64; ++i)
        total += sums.x[i];
    if (group_index() == 0 && thread_index() == 0) out[0] = u32(Threads / 128 * 2 * 64 * 128 * depth);
    if (total < 0.0f) out[1] = bits_of(total); // as above
}
#endif

} // namespace ingot_gpu
