// Rows of tables, and angles: what is computed element by element.
#pragma once

#include "gpu/epilogue.h"
#include "gpu/formats/blocks.h"

namespace ingot_gpu {

// Element (id, k) of a table [V, K] in row tiles.
template <class F, int K, int Height, int TileBytes>
INGOT_DEVICE f32 table_element(const u8* table, int id, int k) {
    return F::template element<K, Height>(table + u64(u32(id / Height)) * TileBytes, id % Height, k);
}

// Column `column` of the angles of a position: cosine and sine of pair column/2 in turn; pairs past the
// frequencies are not rotated.
template <int Frequencies>
INGOT_DEVICE f32 rope_angle(int position, const f32* frequencies, int column) {
    if (column / 2 >= Frequencies) return column % 2 == 0 ? 1.0f : 0.0f;
    f32 s, c;
    sine_cosine(f32(position) * frequencies[column / 2], s, c);
    return column % 2 == 0 ? c : s;
}

} // namespace ingot_gpu
