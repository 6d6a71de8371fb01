// Weights from the order of a model file into the order in which kernels stream them. Used when a plan is
// written, and when a plan with external weights is loaded.
//
// A *panel* is 16 rows of a matrix [rows, cols], padded with zero rows, its size padded to 64 bytes:
//   floats (f32, f16, bf16): [cols][16] elements;
//   block formats of 32 (q4_0, q4_1, q5_0, q5_1, q8_0): block 0 .. cols/32-1, each the 16 rows' scales f16,
//   for the
//   `_1` formats their minima f16, then their codes: a kernel's reading is one stream. Codes are unsigned
//   bytes (q8_0: 128 added) in eight vectors of 64: byte 4r+j of vector g is row r, element 4g+j. Of four-bit
//   codes vectors g and g+4 share one vector as low and high nibbles; five-bit codes add a vector whose bit g
//   of byte i is the fifth bit of byte i of vector g. kernels_templates/host/formats/ reads this.
// A *row tile* is a few rows, each in planes of 16 bytes; ir/row_tiles.h says how, and what its height is.
// The layout `panel16` is the panels in order, `panel16_pair` those of the upper and the lower half of the
// rows in turn, likewise `row_tiles` and `row_tiles_pair`; `rows` is the file's own order. Block layouts of
// the file are ggml's.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

namespace ingot::runtime {

// Matrices stacked one below the other, all of one element and width.
struct PackSource {
    std::span<const std::byte> data; // rows one after the other
    std::uint64_t rows = 0;
};

struct PackJob {
    std::string_view element; // "q4_1", ...
    std::string_view layout;  // "rows", "panel16", "row_tiles", and the last two with "_pair"
    std::uint64_t cols = 0;
    std::span<const PackSource> sources;
};

// Sizes of a job's parts. A unit is a panel or tile, or for `rows` a row; units don't depend on each other.
struct PackSize {
    std::uint64_t units = 0;
    std::uint64_t unit_bytes = 0;
    std::uint64_t bytes() const { return units * unit_bytes; }
};

// Throws Error{bad_file, "packing"}: an unknown element or layout, cols that aren't whole blocks, a source of
// another size than its rows need, an odd number of rows for pairs, sizes that wrap.
PackSize check_packing(const PackJob& job);

// Writes units [begin, end) of a job that check_packing has accepted to `out`, which has room for them.
void pack_units(const PackJob& job, std::uint64_t begin, std::uint64_t end, std::span<std::byte> out);

// The reverse of one unit: row `row` of a panel as the file's bytes, for tests and checks.
void unpack_row(std::string_view element, std::uint64_t cols, std::span<const std::byte> panel,
                std::uint64_t row, std::span<std::byte> out);

} // namespace ingot::runtime
