// Activations as f16, half a block of sixteen at a time, for products on matrix instructions. Those of a
// token are scaled by a power of two that brings the greatest of them near 1, because before its norm is
// applied a row may be of any size.
#pragma once

#include "gpu/formats/blocks.h"

namespace ingot_gpu {

// The power of two that brings `largest` to between 1/2 and 1; 1 for zero.
INGOT_DEVICE f32 factor_for(f32 largest) {
    const u32 exponent = bits_of(largest) >> 23 & 255;
    return largest > 0.0f && exponent > 2 && exponent < 252 ? float_of((252 - exponent + 1) << 23) : 1.0f;
}

// What a thread loads of a quantised activation: half a block.
template <int Rows, int K>
struct Q8HalfBlocks {
    u8* base;
    struct Raw {
        Words4 codes;
        f32 scale;
    };
    INGOT_MEMBER const f32* scales(int row) const {
        return reinterpret_cast<const f32*>(base + u64(Rows) * K) + row * (K / 32);
    }
    INGOT_MEMBER Raw load(int row, int half_block) const {
        return {*reinterpret_cast<const Words4*>(base + u64(u32(row)) * K + half_block * 16),
                scales(row)[half_block / 2]};
    }
    // The largest of every `parts`th block from `part` on.
    INGOT_MEMBER f32 largest(int row, int part, int parts) const {
        f32 top = 0;
        for (int b = part; b < K / 32; b += parts)
            top = max(top, scales(row)[b]);
        return top * 127.0f;
    }
    static INGOT_MEMBER Half16 numbers(const Raw& raw, f32 factor) {
        constexpr u32 sign = 0x80808080u;
        const u32 codes[4] = {raw.codes.x ^ sign, raw.codes.y ^ sign, raw.codes.z ^ sign, raw.codes.w ^ sign};
        return numbers_of_codes<128, false>(codes, both(f32_to_f16(raw.scale * factor)), 0);
    }
};

// The same of activations in f32.
template <int K>
struct F32HalfBlocks {
    const f32* base;
    struct Raw {
        f32 x[16];
    };
    INGOT_MEMBER Raw load(int row, int half_block) const {
        Raw raw;
#pragma unroll
        for (int i = 0; i < 16; ++i)
            raw.x[i] =
                K % 16 == 0 || half_block * 16 + i < K ? base[u64(u32(row)) * K + half_block * 16 + i] : 0.0f;
        return raw;
    }
    INGOT_MEMBER f32 largest(int row, int part, int parts) const {
        f32 top = 0;
        for (int k = part; k < K; k += parts)
            top = max(top, abs(base[u64(u32(row)) * K + k]));
        return top;
    }
    static INGOT_MEMBER Half16 numbers(const Raw& raw, f32 factor) {
        return pairs(raw, factor, [](f32 first, f32 second) { return pair_f16(first, second); });
    }
    // What numbers() leaves of them, in f16.
    static INGOT_MEMBER Half16 rest(const Raw& raw, f32 factor) {
        return pairs(raw, factor, [](f32 first, f32 second) { return rest_of_pair(first, second); });
    }

  private:
    template <class Pair>
    static INGOT_MEMBER Half16 pairs(const Raw& raw, f32 factor, Pair pair) {
        Half16 out;
#pragma unroll
        for (int i = 0; i < 8; ++i)
            out.words[i] = pair(raw.x[2 * i] * factor, raw.x[2 * i + 1] * factor);
        return out;
    }
};

} // namespace ingot_gpu
