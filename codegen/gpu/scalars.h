// Values of a region column by column, as GPU kernels compute them: a lane has one column of one token.
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "codegen/region.h"

namespace ingot::codegen {

// Reads from memory that are made ahead of what is computed from them, so that many are on their way at once:
// the compiler must not move them past stores itself.
class ReadsAhead {
  public:
    // What comes next stands in a block of its own that begins with these lines.
    void begin_block(std::vector<std::string> lines);
    // The name under which what is read can be had later.
    std::string add(std::string_view type, const std::string& expression);

    // "struct Ahead {...};", and the body of a function that fills `Ahead& in`.
    void declare(SourceText& out) const;
    void fill(SourceText& out) const;

  private:
    struct Read {
        std::string type, expression;
        size_t block;
    };
    std::vector<std::vector<std::string>> blocks_;
    std::vector<Read> reads_;
};

// Where a lane is, in C++ text.
struct LanePlace {
    std::string row;             // of the values' rows: the token
    std::string column;          // of the columns that `shift` 0 stands for
    std::string active;          // whether the lane's column exists
    ReadsAhead* ahead = nullptr; // unset: reads stand where they are needed

    std::string read(std::string_view type, const std::string& expression) const {
        return ahead == nullptr ? expression : ahead->add(type, expression);
    }
};

// Emits the code that computes values at a place. All 32 lanes of a group run it, so that lanes may exchange.
class ScalarEmitter {
  public:
    // What a value is that is not computed from others here, or nullopt: `shift` columns to the right of the
    // place.
    using Leaf = std::function<std::optional<std::string>(ir::ValueId, int64_t shift)>;

    ScalarEmitter(const Region& region, SourceText& out, LanePlace place, Leaf leaf)
        : region_(region), out_(out), place_(std::move(place)), leaf_(std::move(leaf)) {}

    // The name of value `v` in column + shift.
    std::string value(ir::ValueId v, int64_t shift = 0);
    // An f32 value in memory there; 0 where the lane is not active.
    std::string from_memory(ir::ValueId v, int64_t shift, int64_t width) const;

  private:
    std::string at(int64_t shift) const;

    const Region& region_;
    SourceText& out_;
    LanePlace place_;
    Leaf leaf_;
    std::map<std::pair<ir::ValueId, int64_t>, std::string> done_;
};

// "p3 + u64(u32(row)) * 64" for a row of f32 or i32 in memory; just "p3" for a value of one row.
std::string row_of(const Region& region, ir::ValueId v, const std::string& row);

// Code that takes a value where it is stored. `value` is the name of what is consumed, `place` that of its
// columns.
void emit_store(const Region& region, SourceText& out, ir::ValueId v, const std::string& value,
                const LanePlace& place);
void emit_quantize(const Region& region, SourceText& out, const ir::Node& n, const std::string& value,
                   const LanePlace& place);
void emit_square_sums(const Region& region, SourceText& out, const ir::Node& n, const std::string& value,
                      const LanePlace& place);
void emit_append(const Region& region, SourceText& out, const ir::Node& n, const std::string& value,
                 const LanePlace& place);

// "F16Cache, 3, 64, 64": element, heads, channels and positions of a cache, as templates take them.
std::string gpu_cache_arguments(const Region& region, const ir::Node& n, const ir::Type& cache);
// "Q4_1, 576, 16, 5888": format, columns, height and bytes of the row tiles of a packed weight.
std::string row_tile_arguments(const Region& region, const ir::Node& n, const ir::Type& weight);

} // namespace ingot::codegen
