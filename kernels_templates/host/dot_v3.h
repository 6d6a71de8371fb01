// Integer dot products by AVX2, which has no 32-bit dot product of bytes. For four- and five-bit codes,
// maddubs sums two products in 16 bits, and a whole block of 32 is added in 16 bits before one madd widens
// it; the widening, which costs as much as the products, is then paid once a block. Bytes have no such room:
// there the weights become sign and magnitude, and every sum of two products is widened.
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

// Of a block's codes, added element-wise over its two halves. Kept are two 16-bit sums, of the elements 4g,
// 4g+1 below and 4g+2, 4g+3 above, as the 16-bit lanes of maddubs divide them.
inline CodeSums code_sums(i32x16 codes) {
    const i32x16 first = {-1, -1, 0, 0, -1, -1, 0, 0, -1, -1, 0, 0, -1, -1, 0, 0};
    const i32 all = __builtin_reduce_add(codes), low = __builtin_reduce_add(codes & first);
    return {i32(u32(all - low) << 16 | (u32(low) & 0xffff)), all};
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

// The scales of half a block's rows.
template <class Format>
inline f32x8 half_scale(const u8* block, int half) {
    return __builtin_convertvector(load<f16x8>(block + 16 * half), f32x8);
}

// The minimum that goes with codes counted from `centre`.
template <class Format>
inline f32x8 half_min(const u8* block, int half, f32x8 scale) {
    const f32x8 min = __builtin_convertvector(load<f16x8>(block + Format::min_offset + 16 * half), f32x8);
    return min + scale * float(centre<Format> - Format::zero_point);
}

// A sum as it stands now. Without this the compiler, free to reorder integer additions, finishes one token
// after the other and spills the weights that all of them share.
template <class V>
inline void pin(V& sum) {
    __asm__("" : "+x"(sum));
}

// A panel by one row of activations.
template <class Format, int K>
inline f32x16 dot_panel(const u8* panel, const u8* row, const Stream& stream) {
    using Row = Q8Row<K>;
    const i16x16 ones = i16x16{} + int16_t(1);
    f32x8 total[2] = {};
    for (int b = 0; b < Row::blocks; ++b) {
        const u8 *block = panel + b * Format::block_bytes, *a = row + b * Row::block_bytes;
        stream.prefetch<Format::block_bytes>(block);
        const float row_scale = load<float>(a + Row::scale_offset);
        u8x64 v[8];
        Format::unpack(block + Format::code_offset, v);
#pragma unroll
        for (int h = 0; h < 2; ++h) {
            i32x8 dot{};
            if constexpr (Format::bits == 8) {
                // |w| <= 128 and |a| <= 127, so two products fit in 16 bits.
#pragma unroll
                for (int g = 0; g < 8; ++g) {
                    const i8x32 w = i8x32(half_of(v[g], h) ^ u8(128));
                    const i8x32 turned = __builtin_ia32_psignb256(broadcast_four(a + 4 * g), w);
                    dot += madd(maddubs(u8x32(__builtin_elementwise_abs(w)), turned), ones);
                }
            } else {
                i16x16 pairs{};
                if constexpr (centre<Format> != 0) pairs = start_of<Format>(load<i32>(a + Row::isum_offset));
#pragma unroll
                for (int g = 0; g < 8; ++g)
                    pairs += maddubs(half_of(v[g], h), broadcast_four(a + 4 * g));
                dot = madd(pairs, ones);
            }
            const f32x8 scale = half_scale<Format>(block, h);
            total[h] += to_f32(dot) * (scale * row_scale);
            if constexpr (Format::has_min)
                total[h] += half_min<Format>(block, h, scale) * load<float>(a + Row::fsum_offset);
        }
    }
    return join(total[0], total[1]);
}

// A block of a panel as the GEMM reads it, so that unpacking is paid once for many tokens. Vector 2g+h is
// rows 8h .. 8h+7 of elements 4g .. 4g+3; of eight-bit codes the magnitudes, and the signed values 16 vectors
// later.
template <class Format>
struct UnpackedBlock {
    u8x32 codes[Format::bits == 8 ? 32 : 16];
    f32x8 scale[2];
    f32x8 min[2];

    void unpack(const u8* block) {
        u8x64 v[8];
        Format::unpack(block + Format::code_offset, v);
#pragma unroll
        for (int h = 0; h < 2; ++h) {
#pragma unroll
            for (int g = 0; g < 8; ++g) {
                const u8x32 half = half_of(v[g], h);
                if constexpr (Format::bits == 8) {
                    const i8x32 w = i8x32(half ^ u8(128));
                    codes[2 * g + h] = u8x32(__builtin_elementwise_abs(w));
                    codes[16 + 2 * g + h] = u8x32(w);
                } else {
                    codes[2 * g + h] = half;
                }
            }
            scale[h] = half_scale<Format>(block, h);
            if constexpr (Format::has_min) min[h] = half_min<Format>(block, h, scale[h]);
        }
    }
};

// What the GEMM needs of a token beside its row: nothing.
template <class Format, int K>
struct TokenExtra {
    void prepare(const u8*) {}
};

// Sums of a block by the blocks of tile_tokens rows of which the first is at `a`.
template <class Format, int K>
__attribute__((always_inline)) inline void dot_block(const UnpackedBlock<Format>& w, const u8* a,
                                                     i32x8 (&sums)[tile_tokens][2]) {
    using Row = Q8Row<K>;
    if constexpr (Format::bits == 8) {
#pragma unroll
        for (int t = 0; t < tile_tokens; ++t)
            sums[t][0] = sums[t][1] = i32x8{};
        const i16x16 ones = i16x16{} + int16_t(1);
#pragma unroll
        for (int g = 0; g < 8; ++g)
#pragma unroll
            for (int t = 0; t < tile_tokens; ++t) {
                const i8x32 four = broadcast_four(a + t * Row::bytes + 4 * g);
#pragma unroll
                for (int h = 0; h < 2; ++h) {
                    // |w| <= 128 and |a| <= 127, so two products fit in 16 bits.
                    const i8x32 turned = __builtin_ia32_psignb256(four, i8x32(w.codes[16 + 2 * g + h]));
                    sums[t][h] += madd(maddubs(w.codes[2 * g + h], turned), ones);
                    pin(sums[t][h]);
                }
            }
    } else {
        i16x16 pairs[tile_tokens][2];
#pragma unroll
        for (int t = 0; t < tile_tokens; ++t)
            pairs[t][0] = pairs[t][1] =
                centre<Format> != 0 ? start_of<Format>(load<i32>(a + t * Row::bytes + Row::isum_offset))
                                    : i16x16{};
#pragma unroll
        for (int g = 0; g < 8; ++g) {
            const u8x32 w0 = w.codes[2 * g], w1 = w.codes[2 * g + 1];
#pragma unroll
            for (int t = 0; t < tile_tokens; ++t) {
                const i8x32 four = broadcast_four(a + t * Row::bytes + 4 * g);
                pairs[t][0] += maddubs(w0, four);
                pairs[t][1] += maddubs(w1, four);
                pin(pairs[t][0]);
                pin(pairs[t][1]);
            }
        }
        const i16x16 ones = i16x16{} + int16_t(1);
#pragma unroll
        for (int t = 0; t < tile_tokens; ++t)
#pragma unroll
            for (int h = 0; h < 2; ++h)
                sums[t][h] = madd(pairs[t][h], ones);
    }
}

// y[t * stride] += blocks [begin, end) of a panel by token t.
template <class Format, int K>
inline void dot_tile(const UnpackedBlock<Format>* panel, const u8* rows, const TokenExtra<Format, K>*,
                     int begin, int end, f32x16* y, int stride) {
    using Row = Q8Row<K>;
    f32x8 total[tile_tokens][2];
#pragma unroll
    for (int t = 0; t < tile_tokens; ++t)
#pragma unroll
        for (int h = 0; h < 2; ++h)
            total[t][h] = load<f32x8>(reinterpret_cast<const u8*>(y + t * stride) + 32 * h);
    for (int b = begin; b < end; ++b) {
        const UnpackedBlock<Format>& w = panel[b - begin];
        const u8* a = rows + b * Row::block_bytes;
        i32x8 sums[tile_tokens][2];
        dot_block<Format, K>(w, a, sums);
#pragma unroll
        for (int t = 0; t < tile_tokens; ++t) {
            const float scale = load<float>(a + t * Row::bytes + Row::scale_offset);
#pragma unroll
            for (int h = 0; h < 2; ++h) {
                total[t][h] += to_f32(sums[t][h]) * (w.scale[h] * scale);
                if constexpr (Format::has_min)
                    total[t][h] += w.min[h] * load<float>(a + t * Row::bytes + Row::fsum_offset);
            }
        }
    }
#pragma unroll
    for (int t = 0; t < tile_tokens; ++t)
        y[t * stride] = join(total[t][0], total[t][1]);
}

} // namespace ingot_host
