// w = scale * code, code signed
#pragma once

#include "gpu/formats/blocks.h"

namespace ingot_gpu {

struct Q8_0 {
    static constexpr int chunk = 32;
    struct Chunk {
        Words4 low, high; // elements 0..15 and 16..31
        u16 scale;
    };
    template <int K, int H>
    static INGOT_MEMBER Chunk load(const u8* tile, int row, int block) {
        using P = TilePlanes<K, H, 16, 16, 2, 0>;
        return {load_words(tile + row * P::stride0 + block * 16),
                load_words(tile + P::begin1 + row * P::stride1 + block * 16),
                load_half_word(tile + P::begin2 + row * P::stride2 + block * 2)};
    }
    static INGOT_MEMBER f32 dot(const Chunk& w, const Q8Block& a) {
        i32 s = dot4(0, w.low.x, a.codes[0]);
        s = dot4(s, w.low.y, a.codes[1]);
        s = dot4(s, w.low.z, a.codes[2]);
        s = dot4(s, w.low.w, a.codes[3]);
        s = dot4(s, w.high.x, a.codes[4]);
        s = dot4(s, w.high.y, a.codes[5]);
        s = dot4(s, w.high.z, a.codes[6]);
        s = dot4(s, w.high.w, a.codes[7]);
        return f16_to_f32(w.scale) * a.scale * f32(s);
    }
    // Element k of a row, as a number.
    template <int K, int H>
    static INGOT_MEMBER f32 element(const u8* tile, int row, int k) {
        using P = TilePlanes<K, H, 16, 16, 2, 0>;
        const int block = k / 32, at = k % 32;
        const u8 code = at < 16 ? tile[row * P::stride0 + block * 16 + at]
                                : tile[P::begin1 + row * P::stride1 + block * 16 + at - 16];
        return f16_to_f32(load_half_word(tile + P::begin2 + row * P::stride2 + block * 2)) * f32(i8(code));
    }

    // Half a block, for products of many rows.
    struct HalfBlock {
        Words4 codes;
        u16 scale;
    };
    template <int K, int H>
    static INGOT_MEMBER HalfBlock load_half(const u8* tile, int row, int half_block) {
        using P = TilePlanes<K, H, 16, 16, 2, 0>;
        const int block = half_block / 2;
        return {load_words(tile + half_block % 2 * P::begin1 + row * P::stride0 + block * 16),
                load_half_word(tile + P::begin2 + row * P::stride2 + block * 2)};
    }
    static INGOT_MEMBER Half16 numbers(const Chunk& w, int half) {
        return numbers(HalfBlock{half == 0 ? w.low : w.high, w.scale}, half);
    }
    static INGOT_MEMBER Half16 numbers(const HalfBlock& w, int) {
        constexpr u32 sign = 0x80808080u;
        const u32 codes[4] = {w.codes.x ^ sign, w.codes.y ^ sign, w.codes.z ^ sign, w.codes.w ^ sign};
        return numbers_of_codes<128, false>(codes, both(w.scale), 0);
    }
};

} // namespace ingot_gpu
