// Integer dot products by AVX2, which has no 32-bit dot product of bytes. For four- and five-bit codes,
// maddubs sums two products in 16 bits, and a whole block of 32 is added in 16 bits before one madd widens
// it; the widening, which costs as much as the products, is then paid once a block. Bytes have no such room:
// there the weights are widened once for many tokens (GEMM) or made sign and magnitude (one token).
//
// Why 16 bits are enough: lane i of the 16-bit sums holds 16 products of a block. They start at -centre *
// (the codes' sum over the lane), so they end at sum((u - centre) * a), at most 16 * 16 * 127 = 32512 in
// magnitude with the centre 16 of five bits. Additions wrap, so what they pass on the way does not matter.
#pragma once

#include "activation.h"
#include "formats/block.h"
#include "stream.h"

namespace ingot_host {

inline constexpr int tile_panels = 1;
inline constexpr int tile_tokens = 4;

// What the quantiser keeps of a block's codes (summed element-wise over its two halves): two 16-bit sums, of
// the elements 4g, 4g+1 below and 4g+2, 4g+3 above, as the 16-bit lanes of maddubs divide them.
inline i32 code_sums(i32x16 codes) {
    i32 low = 0, high = 0;
#pragma unroll
    for (int i = 0; i < lanes; i += 4) {
        low += codes[i] + codes[i + 1];
        high += codes[i + 2] + codes[i + 3];
    }
    return i32(u32(high) << 16 | (u32(low) & 0xffff));
}

// The code that a sum counts from: five-bit codes need their middle, whatever the format's own zero point.
template <class Format>
inline constexpr int centre = Format::bits == 5 ? 16 : Format::zero_point;

inline i8x32 broadcast_four(const u8* p) {
    return i8x32(i32x8{} + load<i32>(p));
}

// Both 16-bit halves of a block's code sums times -centre.
template <class Format>
inline i16x16 start_of(i32 sums) {
    return i16x16(i32x8{} + sums) * int16_t(-centre<Format>);
}

inline i16x16 maddubs(u8x32 u, i8x32 a) {
    return i16x16(__builtin_ia32_pmaddubsw256(i8x32(u), a));
}
inline i32x8 madd(i16x16 a, i16x16 b) {
    return i32x8(__builtin_ia32_pmaddwd256(a, b));
}

inline u8x32 half_of(u8x64 v, int h) {
    return h == 0
               ? __builtin_shufflevector(v, v, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17,
                                         18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31)
               : __builtin_shufflevector(v, v, 32, 33, 34, 35, 36, 37, 38, 39, 40, 41, 42, 43, 44, 45, 46, 47,
                                         48, 49, 50, 51, 52, 53, 54, 55, 56, 57, 58, 59, 60, 61, 62, 63);
}
inline f32x16 join(f32x8 low, f32x8 high) {
    return __builtin_shufflevector(low, high, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15);
}
inline f32x8 to_f32(i32x8 i) {
    return __builtin_convertvector(i, f32x8);
}

typedef _Float16 f16x8 __attribute__((vector_size(16)));

template <class Format>
inline f32x8 block_scale(const u8* scales, int half) {
    return __builtin_convertvector(load<f16x8>(scales + 16 * half), f32x8);
}

// The minimum that goes with codes counted from `centre`.
template <class Format>
inline f32x8 block_min(const u8* mins, int half, f32x8 scale) {
    const f32x8 min = __builtin_convertvector(load<f16x8>(mins + 16 * half), f32x8);
    return min + scale * float(centre<Format> - Format::zero_point);
}

// y[p] = panel p of Panels neighbouring ones by one row of activations. Two at once share the activation's
// broadcasts and read memory as two streams.
template <class Format, int K, int Panels>
inline void dot_panels(const u8* first, const u8* row, f32x16 (&y)[Panels]) {
    using Row = Q8Row<K>;
    constexpr int panel_bytes = Format::template panel_bytes<K>();
    const i16x16 ones = i16x16{} + int16_t(1);
    f32x8 total[Panels][2] = {};
    for (int b = 0; b < Row::blocks; ++b) {
        const float row_scale = load<float>(row + Row::scale_offset + 4 * b);
        const float fsum = load<float>(row + Row::fsum_offset + 4 * b);
        const i32 sums = load<i32>(row + Row::isum_offset + 4 * b);
#pragma unroll
        for (int p = 0; p < Panels; ++p) {
            const u8* panel = first + p * panel_bytes;
            prefetch_ahead<Format, K, Panels>(panel, b);
            u8x64 v[8];
            Format::unpack(panel + b * Format::block_bytes, v);
#pragma unroll
            for (int h = 0; h < 2; ++h) {
                i32x8 dot{};
                if constexpr (Format::bits == 8) {
                    // |w| <= 128 and |a| <= 127, so two products fit in 16 bits.
#pragma unroll
                    for (int g = 0; g < 8; ++g) {
                        const i8x32 w = i8x32(half_of(v[g], h) ^ u8(128));
                        const i8x32 a = __builtin_ia32_psignb256(broadcast_four(row + 32 * b + 4 * g), w);
                        dot += madd(maddubs(u8x32(__builtin_elementwise_abs(w)), a), ones);
                    }
                } else {
                    i16x16 pairs{};
                    if constexpr (centre<Format> != 0) pairs = start_of<Format>(sums);
#pragma unroll
                    for (int g = 0; g < 8; ++g)
                        pairs += maddubs(half_of(v[g], h), broadcast_four(row + 32 * b + 4 * g));
                    dot = madd(pairs, ones);
                }
                const f32x8 scale =
                    block_scale<Format>(panel + Format::template scale_offset<K>() + 32 * b, h);
                total[p][h] += to_f32(dot) * (scale * row_scale);
                if constexpr (Format::has_min)
                    total[p][h] +=
                        block_min<Format>(panel + Format::template min_offset<K>() + 32 * b, h, scale) * fsum;
            }
        }
    }
#pragma unroll
    for (int p = 0; p < Panels; ++p)
        y[p] = join(total[p][0], total[p][1]);
}

// A panel as the GEMM reads it, so that unpacking is paid once for many tokens. Vector 2i+h of a block is
// rows 8h .. 8h+7: bytes of elements 4i .. 4i+3, or for eight-bit codes 16-bit signed values of 2i and 2i+1.
template <class Format, int K>
struct UnpackedPanel {
    static constexpr int vectors = Format::bits == 8 ? 32 : 16;
    u8x32 codes[K / 32][vectors];
    f32x8 scale[K / 32][2];
    f32x8 min[Format::has_min ? K / 32 : 1][2];

    void unpack(const u8* panel) {
        for (int b = 0; b < K / 32; ++b) {
            u8x64 v[8];
            Format::unpack(panel + b * Format::block_bytes, v);
#pragma unroll
            for (int h = 0; h < 2; ++h) {
#pragma unroll
                for (int g = 0; g < 8; ++g) {
                    const u8x32 half = half_of(v[g], h);
                    if constexpr (Format::bits == 8) {
                        // Each byte goes to the upper half of its 16 bits; the shift back extends its sign.
                        const i32x8 w = i32x8(half ^ u8(128));
                        const i32x8 high = i32x8{} + i32(0xff000000), low = i32x8{} + 0xff00;
                        codes[b][4 * g + h] = u8x32(i16x16((w << 8 & low) | (w << 16 & high)) >> 8);
                        codes[b][4 * g + 2 + h] = u8x32(i16x16((w >> 8 & low) | (w & high)) >> 8);
                    } else {
                        codes[b][2 * g + h] = half;
                    }
                }
                scale[b][h] = block_scale<Format>(panel + Format::template scale_offset<K>() + 32 * b, h);
                if constexpr (Format::has_min)
                    min[b][h] =
                        block_min<Format>(panel + Format::template min_offset<K>() + 32 * b, h, scale[b][h]);
            }
        }
    }
};

// The tokens of a tile: their rows, and for eight-bit weights their codes widened to 16 bits.
template <class Format, int K>
struct TokenTile {
    const u8* rows;
    i16x16 wide[tile_tokens][Format::bits == 8 ? K / 16 : 1];

    explicit TokenTile(const u8* r) : rows(r) {
        if constexpr (Format::bits == 8) {
            typedef i8 i8x16 __attribute__((vector_size(16)));
            for (int t = 0; t < tile_tokens; ++t)
                for (int i = 0; i < K / 16; ++i)
                    wide[t][i] =
                        __builtin_convertvector(load<i8x16>(r + t * Q8Row<K>::bytes + 16 * i), i16x16);
        }
    }
};

// y[t * stride] = the panel by token t.
template <class Format, int K>
inline void dot_tile(const UnpackedPanel<Format, K>* panel, const TokenTile<Format, K>& tile, f32x16* y,
                     int stride) {
    using Row = Q8Row<K>;
    const i16x16 ones = i16x16{} + int16_t(1);
    f32x8 total[tile_tokens][2] = {};
    for (int b = 0; b < Row::blocks; ++b) {
        i32x8 sums[tile_tokens][2];
        if constexpr (Format::bits == 8) {
#pragma unroll
            for (int t = 0; t < tile_tokens; ++t)
                sums[t][0] = sums[t][1] = i32x8{};
#pragma unroll
            for (int g = 0; g < 16; ++g) {
                const i16x16 w0 = i16x16(panel->codes[b][2 * g]), w1 = i16x16(panel->codes[b][2 * g + 1]);
#pragma unroll
                for (int t = 0; t < tile_tokens; ++t) {
                    const i16x16 a = i16x16(
                        i32x8{} + load<i32>(reinterpret_cast<const u8*>(tile.wide[t]) + 64 * b + 4 * g));
                    sums[t][0] += madd(w0, a);
                    sums[t][1] += madd(w1, a);
                }
            }
        } else {
            i16x16 pairs[tile_tokens][2];
#pragma unroll
            for (int t = 0; t < tile_tokens; ++t)
                pairs[t][0] = pairs[t][1] =
                    centre<Format> != 0
                        ? start_of<Format>(load<i32>(tile.rows + t * Row::bytes + Row::isum_offset + 4 * b))
                        : i16x16{};
#pragma unroll
            for (int g = 0; g < 8; ++g) {
                const u8x32 w0 = panel->codes[b][2 * g], w1 = panel->codes[b][2 * g + 1];
#pragma unroll
                for (int t = 0; t < tile_tokens; ++t) {
                    const i8x32 a = broadcast_four(tile.rows + t * Row::bytes + 32 * b + 4 * g);
                    pairs[t][0] += maddubs(w0, a);
                    pairs[t][1] += maddubs(w1, a);
                }
            }
#pragma unroll
            for (int t = 0; t < tile_tokens; ++t)
#pragma unroll
                for (int h = 0; h < 2; ++h)
                    sums[t][h] = madd(pairs[t][h], ones);
        }
#pragma unroll
        for (int t = 0; t < tile_tokens; ++t) {
            const float scale = load<float>(tile.rows + t * Row::bytes + Row::scale_offset + 4 * b);
            const float fsum = load<float>(tile.rows + t * Row::bytes + Row::fsum_offset + 4 * b);
#pragma unroll
            for (int h = 0; h < 2; ++h) {
                total[t][h] += to_f32(sums[t][h]) * (panel->scale[b][h] * scale);
                if constexpr (Format::has_min) total[t][h] += panel->min[b][h] * fsum;
            }
        }
    }
#pragma unroll
    for (int t = 0; t < tile_tokens; ++t)
        y[t * stride] = join(total[t][0], total[t][1]);
}

} // namespace ingot_host
