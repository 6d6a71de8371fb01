// Weights in row tiles (ir/row_tiles.h says how they lie), as what a lane loads at once: a *chunk*, sixteen
// bytes of codes with what belongs to them. A format says how many elements that is, how a chunk is loaded,
// and its product with the same elements of an activation.
#pragma once

#include "gpu/activation.h"

namespace ingot_gpu {

INGOT_DEVICE constexpr int padded16(int bytes) {
    return (bytes + 15) / 16 * 16;
}

// Offsets of the planes of a tile of H rows of K columns. `Planes` are the bytes of a block in each; 0: none.
template <int K, int H, int P0, int P1, int P2, int P3>
struct TilePlanes {
    static constexpr int blocks = K / 32;
    static constexpr int stride0 = padded16(blocks * P0), stride1 = padded16(blocks * P1),
                         stride2 = padded16(blocks * P2), stride3 = padded16(blocks * P3);
    static constexpr int begin1 = H * stride0, begin2 = begin1 + H * stride1, begin3 = begin2 + H * stride2;
};

INGOT_DEVICE Words4 load_words(const u8* p) {
    return *reinterpret_cast<const Words4*>(p);
}
INGOT_DEVICE u16 load_half_word(const u8* p) {
    return *reinterpret_cast<const u16*>(p);
}

// Sixteen numbers in f16, two a word. Those of codes stand in an order that is cheap to make, 0 2 1 3 of each
// four, in weights as in activations: a sum does not depend on it.
struct Half16 {
    u32 words[8];
};

// Sixteen codes of up to eight bits as f16: (code - zero) * scale + minimum. A byte behind 0x64 is the f16
// 1024 + byte.
template <int Zero, bool HasMinimum>
INGOT_DEVICE Half16 numbers_of_codes(const u32 (&codes)[4], u32 scale, u32 minimum) {
    constexpr u32 thousand = 0x64006400u, zero = thousand + u32(Zero) * 0x10001u;
    Half16 out;
#pragma unroll
    for (int i = 0; i < 8; ++i) {
        const u32 two = bytes_below_64(codes[i / 2], i % 2);
        const u32 code = sub_pairs(two, zero);
        out.words[i] = HasMinimum ? fma_pairs(code, scale, minimum) : mul_pairs(code, scale);
    }
    return out;
}
INGOT_DEVICE u32 both(u16 h) {
    return u32(h) * 0x10001u;
}
// The same of the low (half 0) or high four bits of sixteen bytes. The high ones stay where they are, as
// sixteen times the code.
template <int Zero, bool HasMinimum>
INGOT_DEVICE Half16 numbers_of_nibbles(const Words4& w, int half, u32 scale, u32 minimum) {
    constexpr u32 thousand = 0x64006400u, sixteenth = 0x2c002c00u;
    const u32 words[4] = {w.x, w.y, w.z, w.w}, zero = thousand + u32(half == 0 ? Zero : 16 * Zero) * 0x10001u,
              mask = half == 0 ? 0x000f000fu : 0x00f000f0u;
    if (half == 1) scale = mul_pairs(scale, sixteenth);
    Half16 out;
#pragma unroll
    for (int i = 0; i < 8; ++i) {
        const u32 code = sub_pairs(masked_or(words[i / 2] >> (i % 2 * 8), mask, thousand), zero);
        out.words[i] = HasMinimum ? fma_pairs(code, scale, minimum) : mul_pairs(code, scale);
    }
    return out;
}
// The low (half 0) or high four bits of sixteen bytes, as bytes.
INGOT_DEVICE void nibbles(const Words4& w, int half, u32 (&out)[4]) {
    constexpr u32 low = 0x0f0f0f0fu;
    out[0] = w.x >> (half * 4) & low;
    out[1] = w.y >> (half * 4) & low;
    out[2] = w.z >> (half * 4) & low;
    out[3] = w.w >> (half * 4) & low;
}
INGOT_DEVICE void add_fifth_bits(u32 high, int half, u32 (&codes)[4]) {
#pragma unroll
    for (int g = 0; g < 4; ++g)
        codes[g] |= (high >> (half * 4 + g) & 0x01010101u) << 4;
}

// The sum of 32 products of codes: the low four bits of each byte are elements 0..15, the high four 16..31.
INGOT_DEVICE i32 dot_nibbles(const Words4& w, const Q8Block& a) {
    constexpr u32 low = 0x0f0f0f0fu;
    i32 s = dot4(0, w.x & low, a.codes[0]);
    s = dot4(s, w.y & low, a.codes[1]);
    s = dot4(s, w.z & low, a.codes[2]);
    s = dot4(s, w.w & low, a.codes[3]);
    if constexpr (has_mixed_dot4) { // high bits stay where they are, as sixteen times the code
        i32 high = dot4_mixed(0, w.x & ~low, a.codes[4]);
        high = dot4_mixed(high, w.y & ~low, a.codes[5]);
        high = dot4_mixed(high, w.z & ~low, a.codes[6]);
        return s + (dot4_mixed(high, w.w & ~low, a.codes[7]) >> 4);
    }
    s = dot4(s, w.x >> 4 & low, a.codes[4]);
    s = dot4(s, w.y >> 4 & low, a.codes[5]);
    s = dot4(s, w.z >> 4 & low, a.codes[6]);
    return dot4(s, w.w >> 4 & low, a.codes[7]);
}

// The same with a fifth bit: bit 8j+g of `high` is that of element 4g+j.
INGOT_DEVICE i32 dot_five_bits(const Words4& w, u32 high, const Q8Block& a) {
    constexpr u32 low = 0x0f0f0f0fu, bit = 0x10101010u;
    i32 s = dot4(0, (w.x & low) | (high << 4 & bit), a.codes[0]);
    s = dot4(s, (w.y & low) | (high << 3 & bit), a.codes[1]);
    s = dot4(s, (w.z & low) | (high << 2 & bit), a.codes[2]);
    s = dot4(s, (w.w & low) | (high << 1 & bit), a.codes[3]);
    s = dot4(s, (w.x >> 4 & low) | (high & bit), a.codes[4]);
    s = dot4(s, (w.y >> 4 & low) | (high >> 1 & bit), a.codes[5]);
    s = dot4(s, (w.z >> 4 & low) | (high >> 2 & bit), a.codes[6]);
    return dot4(s, (w.w >> 4 & low) | (high >> 3 & bit), a.codes[7]);
}

} // namespace ingot_gpu
