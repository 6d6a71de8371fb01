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

// What the quantiser keeps of a block's codes (summed element-wise over its two halves): their sum.
inline i32 code_sums(i32x16 codes) {
#pragma unroll
    for (int step = 8; step > 0; step /= 2) {
        i32x16 other{};
#pragma unroll
        for (int i = 0; i < step; ++i)
            other[i] = codes[i + step];
        codes += other;
    }
    return codes[0];
}

inline i32x16 dpbusd(i32x16 sum, u8x64 u, i32 four) {
    return __builtin_ia32_vpdpbusd512(sum, u, i8x64(i32x16{} + four));
}

// y[p] = panel p of Panels neighbouring ones by one row of activations. Two at once share the activation's
// broadcasts and read memory as two streams.
template <class Format, int K, int Panels>
inline void dot_panels(const u8* first, const u8* row, f32x16 (&y)[Panels]) {
    using Row = Q8Row<K>;
    constexpr int panel_bytes = Format::template panel_bytes<K>();
#pragma unroll
    for (int p = 0; p < Panels; ++p)
        y[p] = f32x16{};
    for (int b = 0; b < Row::blocks; ++b) {
        const i32 start = -Format::zero_point * load<i32>(row + Row::isum_offset + 4 * b);
        const float row_scale = load<float>(row + Row::scale_offset + 4 * b);
        const float fsum = load<float>(row + Row::fsum_offset + 4 * b);
#pragma unroll
        for (int p = 0; p < Panels; ++p) {
            const u8* panel = first + p * panel_bytes;
            prefetch_ahead<Format, K, Panels>(panel, b);
            u8x64 v[8];
            Format::unpack(panel + b * Format::block_bytes, v);
            i32x16 even = i32x16{} + start, odd{};
#pragma unroll
            for (int g = 0; g < 8; g += 2) {
                even = dpbusd(even, v[g], load<i32>(row + 32 * b + 4 * g));
                odd = dpbusd(odd, v[g + 1], load<i32>(row + 32 * b + 4 * g + 4));
            }
            const f32x16 scale = to_f32(load<f16x16>(panel + Format::template scale_offset<K>() + 32 * b));
            y[p] += to_f32(even + odd) * (scale * row_scale);
            if constexpr (Format::has_min)
                y[p] += to_f32(load<f16x16>(panel + Format::template min_offset<K>() + 32 * b)) * fsum;
        }
    }
}

// A panel as the GEMM reads it: bytes and floats, so that unpacking is paid once for many tokens.
template <class Format, int K>
struct UnpackedPanel {
    u8x64 codes[K / 32][8];
    f32x16 scale[K / 32];
    f32x16 min[Format::has_min ? K / 32 : 1];

    void unpack(const u8* panel) {
        for (int b = 0; b < K / 32; ++b) {
            u8x64 v[8];
            Format::unpack(panel + b * Format::block_bytes, v);
#pragma unroll
            for (int g = 0; g < 8; ++g)
                codes[b][g] = v[g];
            scale[b] = to_f32(load<f16x16>(panel + Format::template scale_offset<K>() + 32 * b));
            if constexpr (Format::has_min)
                min[b] = to_f32(load<f16x16>(panel + Format::template min_offset<K>() + 32 * b));
        }
    }
};

// The tokens of a tile: their rows, and the start of each integer sum.
template <class Format, int K>
struct TokenTile {
    const u8* rows;
    i32 start[tile_tokens][K / 32];

    explicit TokenTile(const u8* r) : rows(r) {
        if constexpr (Format::zero_point != 0)
            for (int t = 0; t < tile_tokens; ++t)
                for (int b = 0; b < K / 32; ++b)
                    start[t][b] = -Format::zero_point *
                                  load<i32>(r + t * Q8Row<K>::bytes + Q8Row<K>::isum_offset + 4 * b);
    }
};

// y[t * stride + p] = panel p by token t.
template <class Format, int K>
inline void dot_tile(const UnpackedPanel<Format, K>* panels, const TokenTile<Format, K>& tile, f32x16* y,
                     int stride) {
    using Row = Q8Row<K>;
    f32x16 total[tile_tokens][tile_panels] = {};
    for (int b = 0; b < Row::blocks; ++b) {
        i32x16 sums[tile_tokens][tile_panels];
#pragma unroll
        for (int t = 0; t < tile_tokens; ++t)
#pragma unroll
            for (int p = 0; p < tile_panels; ++p)
                sums[t][p] = Format::zero_point != 0 ? i32x16{} + tile.start[t][b] : i32x16{};
#pragma unroll
        for (int g = 0; g < 8; ++g) {
            u8x64 w[tile_panels];
#pragma unroll
            for (int p = 0; p < tile_panels; ++p)
                w[p] = panels[p].codes[b][g];
#pragma unroll
            for (int t = 0; t < tile_tokens; ++t) {
                const i32 four = load<i32>(tile.rows + t * Row::bytes + 32 * b + 4 * g);
#pragma unroll
                for (int p = 0; p < tile_panels; ++p)
                    sums[t][p] = dpbusd(sums[t][p], w[p], four);
            }
        }
#pragma unroll
        for (int t = 0; t < tile_tokens; ++t) {
            const float scale = load<float>(tile.rows + t * Row::bytes + Row::scale_offset + 4 * b);
            const float fsum = load<float>(tile.rows + t * Row::bytes + Row::fsum_offset + 4 * b);
#pragma unroll
            for (int p = 0; p < tile_panels; ++p) {
                total[t][p] += to_f32(sums[t][p]) * (panels[p].scale[b] * scale);
                if constexpr (Format::has_min) total[t][p] += panels[p].min[b] * fsum;
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
