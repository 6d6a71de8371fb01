// The type of a value: element × dims × layout × pool.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "ir/element.h"

namespace ingot::ir {

// Where a value lives. Part of the type, so that no pass can mix them up: only `transient` may be planned
// over.
enum class Pool : uint8_t {
    weights,   // constant for the life of the plan
    state,     // survives from step to step: KV cache, workspaces with counters
    transient, // lives inside one step; the memory planner gives it an offset
    io,        // written or read by the caller around a step
};

// How the elements of a tensor lie in memory. Dims are logical and never change with the layout.
enum class Layout : uint8_t {
    rows,           // row-major, blocks along the last dim
    panel16,        // weights [N, K]: panels of 16 rows, see kernels_templates/host/formats
    panel16_pair,   // the same for [2M, K], panels of rows 0..M-1 and of rows M..2M-1 in turn
    kv_channels,    // KV cache [pages, heads, positions, channels] with positions innermost (keys)
    row_tiles,      // weights [N, K]: tiles of a few rows, each row in planes of 16 bytes (ir/row_tiles.h)
    row_tiles_pair, // the same for [2M, K], tiles of rows 0..M-1 and of rows M..2M-1 in turn
    kv_octets, // KV cache [pages, heads, channels/8, positions, 8] (keys): eight channels are 16 bytes of f16
};

// Whether it is a layout of packed weights.
bool is_packed(Layout l);

std::string_view text(Pool p);
std::string_view text(Layout l);
std::optional<Pool> pool_from_text(std::string_view t);
std::optional<Layout> layout_from_text(std::string_view t);

// A size that is known only at run time, between two bounds, e.g. T = 1..512 tokens of a step.
struct Symbol {
    std::string name;
    int64_t min = 1;
    int64_t max = 1;
    bool operator==(const Symbol&) const = default;
};

// A constant (>= 1) or a reference to one of the graph's symbols.
class Dim {
  public:
    Dim(int64_t constant)
        : value_(constant) {} // NOLINT(google-explicit-constructor): dims are written as numbers
    static Dim symbol(uint32_t index) { return Dim(-1 - static_cast<int64_t>(index)); }
    bool is_symbol() const { return value_ < 0; }
    int64_t constant() const { return value_; }                                  // only if !is_symbol()
    uint32_t symbol_index() const { return static_cast<uint32_t>(-1 - value_); } // only if is_symbol()
    bool operator==(const Dim&) const = default;

  private:
    int64_t value_;
};

// Dims are outermost first: a weight of N output and K input channels is [N, K]; a step's activation is [T,
// K].
struct Type {
    Element element = Element::f32;
    std::vector<Dim> dims;
    Layout layout = Layout::rows;
    Pool pool = Pool::transient;
    bool operator==(const Type&) const = default;
};

// Bytes of the value with every symbol at its maximum. Throws Error on overflow or a row that is not whole
// blocks.
uint64_t max_bytes(const Type& type, std::span<const Symbol> symbols);

// Bytes that a packed weight of `rows` × `cols` takes in `layout` (rows padded to whole panels or tiles).
uint64_t packed_bytes(Element element, Layout layout, uint64_t rows, uint64_t cols);

} // namespace ingot::ir
