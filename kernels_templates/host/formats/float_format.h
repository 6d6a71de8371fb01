// What the unquantised formats share. A packed panel is 16 rows, column by column: [K][16] elements, padded
// to 64 B.
#pragma once

#include "simd.h"

namespace ingot_host {

template <int ElementBytes>
struct FloatFormat {
    static constexpr bool is_block = false;
    static constexpr int element_bytes = ElementBytes;

    template <int K>
    static constexpr int panel_bytes() {
        return (K * lanes * ElementBytes + 63) / 64 * 64;
    }
};

// Row `row` of a packed matrix as floats: an embedding lookup.
template <class Format, int K>
inline void convert_float_row(const u8* w, int row, float* out) {
    const u8* panel = w + u64(row / lanes) * u64(Format::template panel_bytes<K>());
    for (int k = 0; k < K; ++k)
        out[k] = Format::element(panel + (k * lanes + row % lanes) * Format::element_bytes);
}

} // namespace ingot_host
