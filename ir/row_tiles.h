// The layouts `row_tiles` and `row_tiles_pair`: weights as GPU kernels stream them.
//
// A tile is `height` neighbouring rows of a matrix [rows, cols], whole in memory, so that one bulk copy
// brings it and a lane of 16 bytes is a whole half block. It consists of planes, one after the other; a plane
// has a part of every row, padded to 16 bytes, row after row:
//   floats:      the elements;
//   q4_0, q4_1:  codes, 16 bytes a block of 32 as the file has them (byte i: elements i and i+16);
//   q5_0, q5_1:  the same of the low four bits, then 4 bytes a block of the fifth: bit 8j+g is that of
//   element 4g+j; q8_0:        elements 0..15 of every block, then elements 16..31 of every block; then of
//   block formats the scales, f16 a block, and of the `_1` formats the minima, f16 a block.
// The tile is padded to 128 bytes, the matrix with zero rows to whole tiles. runtime/packing.h writes it.
#pragma once

#include <cstdint>

#include "ir/element.h"

namespace ingot::ir {

// Rows of a tile: the most, of 16, 8, 4, 2 and 1, that keep it within 20 KiB, which is what a stage of a ring
// of bulk copies holds. Throws Error for an element without this layout, cols that are not whole blocks, and
// sizes that wrap.
uint64_t row_tile_height(Element element, uint64_t cols);
// Bytes of one tile.
uint64_t row_tile_bytes(Element element, uint64_t cols);

} // namespace ingot::ir
