// Integer dot products by AVX-512 VNNI: a zmm register is a panel's 16 rows by four k, a dpbusd adds four
// products a row to 32-bit sums, and the activation's four bytes are broadcast from memory.
#pragma once

#include "activation.h"
#include "formats/block.h"
#include "stream.h"

namespace ingot_host {

// Register tile of the GEMM: 2 x 6 integer and as many float accumulators fill 24 of 32 registers.
inline constexpr int tile_panels = 2;
inline constexpr int tile_tokens = 6;

// Of a block's codes, added element-wise over its two halves.
inline CodeSums code_sums(i32x16 codes) {
    const i32 all = __builtin_reduce_add(codes);
    return {all, all};
}

inline i32x16 dpbusd(i32x16 sum, u8x64 u, i32 four) {
    return __builtin_ia32_vpdpbusd512(sum, u, i8x64(i32x16{} + four));
}

// A panel by one row of activations.
template <class Format, int K>
inline f32x16 dot_panel(const u8* panel, const u8* row, const Stream& stream) {
    using Row = Q8Row<K>;
    f32x16 y{};
    for (int b = 0; b < Row::blocks; ++b) {
        const u8 *block = panel + b * Format::block_bytes, *a = row + b * Row::block_bytes;
        stream.prefetch<Format::block_bytes>(block);
        u8x64 v[8];
        Format::unpack(block + Format::code_offset, v);
        // Two chains, because a dpbusd waits for the one before.
        i32x16 even = i32x16{} - Format::zero_point * load<i32>(a + Row::isum_offset), odd{};
#pragma unroll
        for (int g = 0; g < 8; g += 2) {
            even = dpbusd(even, v[g], load<i32>(a + 4 * g));
            odd = dpbusd(odd, v[g + 1], load<i32>(a + 4 * g + 4));
        }
        y += to_f32(even + odd) * (Format::scale(block) * load<float>(a + Row::scale_offset));
        if constexpr (Format::has_min) y += Format::min(block) * load<float>(a + Row::fsum_offset);
    }
    return y;
}

// A block of a panel as the GEMM reads it: bytes and floats, so that unpacking is paid once for many tokens.
template <class Format>
struct UnpackedBlock {
    u8x64 codes[8];
    f32x16 scale;
    f32x16 min;

    void unpack(const u8* block) {
        u8x64 v[8];
        Format::unpack(block + Format::code_offset, v);
#pragma unroll
        for (int g = 0; g < 8; ++g)
            codes[g] = v[g];
        scale = Format::scale(block);
        if constexpr (Format::has_min) min = Format::min(block);
    }
};

// What the GEMM needs of a token beside its row: -zero_point * scale * sum of codes, a block.
template <class Format, int K>
struct TokenExtra {
    float offset[Format::zero_point != 0 ? K / 32 : 1];

    void prepare(const u8* row) {
        if constexpr (Format::zero_point != 0)
            for (int b = 0; b < K / 32; ++b)
                offset[b] = float(-Format::zero_point) *
                            load<float>(row + Q8Row<K>::fsum_offset + Q8Row<K>::block_bytes * b);
    }
};

// y[t * stride + p] += blocks [begin, end) of panel p by token t; the panels stand `end - begin` blocks
// apart. For each block and token two multiplications of scales (three with a minimum) share the units of the
// eight dpbusd, so that 80% (73%) of the integer peak is the most that this can reach.
template <class Format, int K>
inline void dot_tile(const UnpackedBlock<Format>* panels, const u8* rows, const TokenExtra<Format, K>* extra,
                     int begin, int end, f32x16* y, int stride) {
    using Row = Q8Row<K>;
    f32x16 total[tile_tokens][tile_panels];
#pragma unroll
    for (int t = 0; t < tile_tokens; ++t)
#pragma unroll
        for (int p = 0; p < tile_panels; ++p)
            total[t][p] = y[t * stride + p];
    for (int b = begin; b < end; ++b) {
        const u8* a = rows + b * Row::block_bytes;
        const UnpackedBlock<Format>* w[tile_panels];
#pragma unroll
        for (int p = 0; p < tile_panels; ++p)
            w[p] = panels + p * (end - begin) + b - begin;
        i32x16 sums[tile_tokens][tile_panels] = {};
#pragma unroll
        for (int g = 0; g < 8; ++g)
#pragma unroll
            for (int t = 0; t < tile_tokens; ++t) {
                const i32 four = load<i32>(a + t * Row::bytes + 4 * g);
#pragma unroll
                for (int p = 0; p < tile_panels; ++p)
                    sums[t][p] = dpbusd(sums[t][p], w[p]->codes[g], four);
            }
#pragma unroll
        for (int t = 0; t < tile_tokens; ++t) {
            const float scale = load<float>(a + t * Row::bytes + Row::scale_offset);
#pragma unroll
            for (int p = 0; p < tile_panels; ++p) {
                f32x16 x = to_f32(sums[t][p]) * scale;
                if constexpr (Format::zero_point != 0) x += extra[t].offset[b];
                total[t][p] += x * w[p]->scale;
                if constexpr (Format::has_min)
                    total[t][p] += w[p]->min * load<float>(a + t * Row::bytes + Row::fsum_offset);
            }
        }
    }
#pragma unroll
    for (int t = 0; t < tile_tokens; ++t)
#pragma unroll
        for (int p = 0; p < tile_panels; ++p)
            y[t * stride + p] = total[t][p];
}

} // namespace ingot_host
