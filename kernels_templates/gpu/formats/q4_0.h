// w = scale * (code - 8)
#pragma once

#include "gpu/formats/blocks.h"

namespace ingot_gpu {

struct Q4_0 {
    static constexpr int chunk = 32;
    struct Chunk {
        Words4 codes;
        u16 scale;
    };
    template <int K, int H>
    static INGOT_MEMBER Chunk load(const u8* tile, int row, int block) {
        using P = TilePlanes<K, H, 16, 2, 0, 0>;
        return {load_words(tile + row * P::stride0 + block * 16),
                load_half_word(tile + P::begin1 + row * P::stride1 + block * 2)};
    }
    static INGOT_MEMBER f32 dot(const Chunk& w, const Q8Block& a) {
        return f16_to_f32(w.scale) * (a.scale * f32(dot_nibbles(w.codes, a)) - 8.0f * a.sum);
    }
    // Element k of a row, as a number.
    template <int K, int H>
    static INGOT_MEMBER f32 element(const u8* tile, int row, int k) {
        using P = TilePlanes<K, H, 16, 2, 0, 0>;
        const int block = k / 32, at = k % 32;
        const u32 code = tile[row * P::stride0 + block * 16 + at % 16] >> (at / 16 * 4) & 15u;
        return f16_to_f32(load_half_word(tile + P::begin1 + row * P::stride1 + block * 2)) *
               f32(i32(code) - 8);
    }

    // Half a block, for products of many rows.
    using HalfBlock = Chunk;
    template <int K, int H>
    static INGOT_MEMBER HalfBlock load_half(const u8* tile, int row, int half_block) {
        return load<K, H>(tile, row, half_block / 2);
    }
    static INGOT_MEMBER Half16 numbers(const HalfBlock& w, int half) {
        return numbers_of_nibbles<8, false>(w.codes, half, both(w.scale), 0);
    }
};

} // namespace ingot_gpu
