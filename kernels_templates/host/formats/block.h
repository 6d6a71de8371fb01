// What the block formats share: 32 weights of one row have one f16 scale, and the `_1` formats one f16
// minimum. A packed panel is 16 rows, padded to 64 B; block after block it holds [scales f16 [16]][minima f16
// [16]] [codes]. The codes are unsigned bytes in eight vectors of 64 B; byte 4r+j of vector g is row r,
// element 4g+j. value = scale * (code - zero_point) + minimum.
#pragma once

#include "simd.h"

namespace ingot_host {

template <int Bits, int ZeroPoint, bool HasMin>
struct BlockFormat {
    static constexpr bool is_block = true;
    static constexpr int bits = Bits;
    static constexpr int zero_point = ZeroPoint;
    static constexpr bool has_min = HasMin;
    static constexpr int block = 32;
    // Of one block of 16 rows: where its minima and codes begin, and where the next block does.
    static constexpr int min_offset = lanes * 2;
    static constexpr int code_offset = HasMin ? 2 * min_offset : min_offset;
    static constexpr int block_bytes = code_offset + lanes * block * Bits / 8;

    template <int K>
    static constexpr int panel_bytes() {
        static_assert(K % block == 0, "a block format's row is a whole number of blocks");
        return (K / block * block_bytes + 63) / 64 * 64;
    }
    static f32x16 scale(const u8* at) { return to_f32(load<f16x16>(at)); }
    static f32x16 min(const u8* at) { return to_f32(load<f16x16>(at + min_offset)); }
};

// The low and the high nibbles of four vectors are vectors 0..3 and 4..7.
inline void unpack_nibbles(const u8* codes, u8x64 (&v)[8]) {
    const u8x64 mask = u8x64{} + u8(15);
#pragma unroll
    for (int g = 0; g < 4; ++g) {
        const u8x64 packed = load<u8x64>(codes + 64 * g);
        v[g] = packed & mask;
        v[g + 4] = u8x64(u16x32(packed) >> 4) & mask;
    }
}

// A nibble block, then one vector of fifth bits: bit g of its byte i belongs to byte i of vector g.
inline void unpack_five_bits(const u8* codes, u8x64 (&v)[8]) {
    unpack_nibbles(codes, v);
    const u16x32 high = load<u16x32>(codes + 256);
    const u8x64 bit = u8x64{} + u8(16);
#pragma unroll
    for (int g = 0; g < 8; ++g)
        v[g] |= u8x64(g < 4 ? high << (4 - g) : high >> (g - 4)) & bit;
}

inline void unpack_bytes(const u8* codes, u8x64 (&v)[8]) {
#pragma unroll
    for (int g = 0; g < 8; ++g)
        v[g] = load<u8x64>(codes + 64 * g);
}

// Row `row` of a packed matrix as floats: an embedding lookup.
template <class Format, int K>
inline void dequantize_block_row(const u8* w, int row, float* out) {
    const u8* panel = w + u64(row / lanes) * u64(Format::template panel_bytes<K>());
    const int r = row % lanes;
    for (int b = 0; b < K / 32; ++b) {
        const u8* block = panel + b * Format::block_bytes;
        const u8* codes = block + Format::code_offset;
        const float scale = float(load<_Float16>(block + 2 * r));
        float min = 0;
        if constexpr (Format::has_min) min = float(load<_Float16>(block + Format::min_offset + 2 * r));
        for (int g = 0; g < 8; ++g) {
            u32 four;
            if constexpr (Format::bits == 8)
                four = load<u32>(codes + 64 * g + 4 * r);
            else
                four = (load<u32>(codes + 64 * (g % 4) + 4 * r) >> (g < 4 ? 0 : 4)) & 0x0f0f0f0fu;
            if constexpr (Format::bits == 5)
                four |= ((load<u32>(codes + 256 + 4 * r) >> g) & 0x01010101u) << 4;
            for (int j = 0; j < 4; ++j)
                out[32 * b + 4 * g + j] =
                    scale * float(int(four >> (8 * j) & 0xff) - Format::zero_point) + min;
        }
    }
}

// Elements k0 .. k0+31 of a panel's 16 rows as floats, one vector a column.
template <class Format>
inline void dequantize_columns(const u8* panel, int k0, f32x16 (&columns)[32]) {
    const u8* block = panel + k0 / 32 * Format::block_bytes;
    u8x64 v[8];
    Format::unpack(block + Format::code_offset, v);
    const f32x16 scale = Format::scale(block);
    f32x16 min{};
    if constexpr (Format::has_min) min = Format::min(block);
#pragma unroll
    for (int g = 0; g < 8; ++g)
#pragma unroll
        for (int j = 0; j < 4; ++j) {
            const i32x16 code = i32x16((u32x16(v[g]) >> (8 * j)) & 0xff) - Format::zero_point;
            columns[4 * g + j] = to_f32(code) * scale + min;
        }
}

} // namespace ingot_host
