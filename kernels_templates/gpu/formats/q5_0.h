// w = scale * (code - 16)
#pragma once

#include "gpu/formats/blocks.h"

namespace ingot_gpu {

struct Q5_0 {
    static constexpr int chunk = 32;
    struct Chunk {
        Words4 codes;
        u32 high;
        u16 scale;
    };
    template <int K, int H>
    static INGOT_MEMBER Chunk load(const u8* tile, int row, int block) {
        using P = TilePlanes<K, H, 16, 4, 2, 0>;
        return {load_words(tile + row * P::stride0 + block * 16),
                *reinterpret_cast<const u32*>(tile + P::begin1 + row * P::stride1 + block * 4),
                load_half_word(tile + P::begin2 + row * P::stride2 + block * 2)};
    }
    static INGOT_MEMBER f32 dot(const Chunk& w, const Q8Block& a) {
        return f16_to_f32(w.scale) * (a.scale * f32(dot_five_bits(w.codes, w.high, a)) - 16.0f * a.sum);
    }
    // Element k of a row, as a number.
    template <int K, int H>
    static INGOT_MEMBER f32 element(const u8* tile, int row, int k) {
        using P = TilePlanes<K, H, 16, 4, 2, 0>;
        const int block = k / 32, at = k % 32;
        const u32 low = tile[row * P::stride0 + block * 16 + at % 16] >> (at / 16 * 4) & 15u;
        const u32 code = low | (u32(tile[P::begin1 + row * P::stride1 + block * 4 + at % 4]) >> (at / 4) & 1u)
                                   << 4;
        return f16_to_f32(load_half_word(tile + P::begin2 + row * P::stride2 + block * 2)) *
               f32(i32(code) - 16);
    }

    // Half a block, for products of many rows.
    using HalfBlock = Chunk;
    template <int K, int H>
    static INGOT_MEMBER HalfBlock load_half(const u8* tile, int row, int half_block) {
        return load<K, H>(tile, row, half_block / 2);
    }
    static INGOT_MEMBER Half16 numbers(const HalfBlock& w, int half) {
        u32 codes[4];
        nibbles(w.codes, half, codes);
        add_fifth_bits(w.high, half, codes);
        return numbers_of_codes<16, false>(codes, both(w.scale), 0);
    }
};

} // namespace ingot_gpu
