// What follows the matrix products of a kernel: where it takes its columns from, and where it ends.
//
// The columns of every value after a product are columns of the product's result, shifted by the slices in
// between, so a value's place is a set of *roots*: (product, first column). Most values have one root. gate
// and up, once multiplied, have two: a column of the result needs one of each.
#pragma once

#include <compare>
#include <map>
#include <vector>

#include "codegen/region.h"

namespace ingot::codegen {

struct Root {
    ir::NodeId product = 0;
    int64_t begin = 0; // column of the product's result that is column 0 of the value
    auto operator<=>(const Root&) const = default;
};

// Where tiles leave the registers: a result in memory, a cache, the choice of the largest.
struct Sink {
    enum class Kind : uint8_t { store, quantize, square_sums, append, argmax } kind = Kind::store;
    ir::ValueId value = 0; // whose tile is consumed
    ir::NodeId node = 0;   // of all but store: the node
};

// The sinks that are fed from the same roots.
struct SinkGroup {
    std::vector<Root> roots; // sorted
    int64_t width = 0;       // columns of the values
    std::vector<Sink> sinks;
    bool quantizes() const; // needs two neighbouring tiles at once
};

// The roots of every value that is computed from a product, sorted. Throws ir::Error for what has no tile
// form.
using RootMap = std::map<ir::ValueId, std::vector<Root>>;
RootMap find_roots(const Region& region);

// All sinks behind the region's products, grouped.
std::vector<SinkGroup> find_sinks(const Region& region, const RootMap& roots);

} // namespace ingot::codegen
