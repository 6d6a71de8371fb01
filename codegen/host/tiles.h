// What follows a matrix product, computed on tiles of its result while they are in registers.
//
// A tile is sixteen neighbouring columns of one token.
#pragma once

#include <map>
#include <set>
#include <string>
#include <vector>

#include "codegen/product_roots.h"
#include "codegen/region.h"

namespace ingot::codegen {

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
