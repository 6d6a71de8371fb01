// What follows a matrix product, computed on tiles of its result while they are in registers.
//
// A tile is sixteen neighbouring columns of one token. The columns of every value after a product are columns
// of the product's result, shifted by the slices in between, so a value's place is a set of *roots*:
// (product, first column). Most values have one root. gate and up, once multiplied, have two: the tile of the
// result needs a tile of each.
#pragma once

#include <compare>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "codegen/host/region.h"

namespace ingot::codegen {

struct Root {
    ir::NodeId product = 0;
    int64_t begin = 0; // column of the product's result that is column 0 of the value
    auto operator<=>(const Root&) const = default;
};

// Where tiles leave the registers: a result in memory, a cache, the choice of the largest.
struct Sink {
    enum class Kind : uint8_t { store, quantize, append, argmax } kind = Kind::store;
    ir::ValueId value = 0; // whose tile is consumed
    ir::NodeId node = 0;   // quantize, append, argmax: the node
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

// One tile, in C++ text.
struct Tile {
    std::map<Root, std::string> registers; // the vector of each root
    std::string column;                    // of the tile in the group's width
    std::string valid = "lanes";           // how many of its lanes exist
    std::string suffix;                    // keeps the names of two tiles apart
    bool aligned = true;                   // column is a multiple of 16
};

// Emits the code that computes the values of one tile and hands them to sinks. In scope: `token`.
class TileEmitter {
  public:
    TileEmitter(const Region& region, const RootMap& roots, SourceText& out, std::set<std::string>& headers,
                Tile tile)
        : region_(region), roots_(roots), out_(out), headers_(headers), tile_(std::move(tile)) {}

    // The name of the vector of value `v`, whose column 0 is `shift` columns right of the group's column 0.
    std::string value(ir::ValueId v, int64_t shift = 0);
    // store, append and argmax; a quantize sink takes two tiles, so its caller emits it.
    void consume(const Sink& sink);

  private:
    std::string rope(const ir::Node& n, int64_t shift); // an expression
    std::string from_memory(ir::ValueId v, int64_t shift, int64_t width);
    std::string at(int64_t shift) const; // "column + 64"

    const Region& region_;
    const RootMap& roots_;
    SourceText& out_;
    std::set<std::string>& headers_;
    Tile tile_;
    std::map<std::pair<ir::ValueId, int64_t>, std::string> done_;
};

} // namespace ingot::codegen
