#include "codegen/arena_layout.h"

#include <algorithm>

#include <fmt/format.h>

#include "ir/effects.h"
#include "ir/error.h"

namespace ingot::codegen {

using namespace ir;

namespace {

constexpr uint64_t page = 4096;
constexpr uint64_t io_alignment = 256;

uint64_t aligned(uint64_t offset, uint64_t alignment) {
    return (offset + alignment - 1) / alignment * alignment;
}

[[noreturn]] void fail(const Graph& g, ValueId v, std::string_view why) {
    throw Error(fmt::format("graph {}, value {}", g.name, g.values[v].name), std::string(why));
}

uint32_t constant(const Graph& g, ValueId v, size_t dim) {
    const Dim d = g.type(v).dims[dim];
    if (d.is_symbol() || d.constant() > UINT32_MAX) fail(g, v, "its dims must be constants");
    return static_cast<uint32_t>(d.constant());
}

} // namespace

void ArenaLayout::add(const Graph& g) {
    for (const Node& n : g.nodes)
        if (n.op == Op::fused)
            for (const ValueId v : n.operands)
                if (g.type(v).pool == Pool::weights) piece_of_[{&g, v}] = table_.piece_of(g, v);
    for (const Value& v : g.values)
        if (v.placement) transient_end_ = std::max(transient_end_, v.placement->offset + v.placement->bytes);
    add_io(g);
    add_state(g);
}

void ArenaLayout::add_io(const Graph& g) {
    const auto place = [&](ValueId v) {
        if (g.type(v).pool != Pool::io) return;
        if (g.values[v].name.empty()) fail(g, v, "a value of io needs a name");
        const uint64_t bytes = max_bytes(g.type(v), g.symbols);
        const auto [at, is_new] = io_.try_emplace(g.values[v].name, Place{Pool::io, 0, bytes});
        at->second.bytes = std::max(at->second.bytes, bytes);
    };
    for (const ValueId v : g.params)
        place(v);
    for (const ValueId v : g.results)
        place(v);
    // A later program may have widened what an earlier one placed, so all get their offsets anew.
    io_end_ = 0;
    for (auto& [name, range] : io_) {
        range.offset = aligned(io_end_, io_alignment);
        io_end_ = range.offset + range.bytes;
    }
}

void ArenaLayout::add_state(const Graph& g) {
    for (const ValueId v : g.params) {
        if (g.type(v).pool != Pool::state) continue;
        const uint64_t bytes = max_bytes(g.type(v), g.symbols);
        const auto found = state_.find(g.values[v].name);
        if (found != state_.end()) {
            if (found->second.bytes != bytes) fail(g, v, "programs disagree about its size");
            continue;
        }
        const Place place{Pool::state, workspace_.offset, bytes};
        state_[g.values[v].name] = place;
        workspace_.offset = aligned(place.offset + bytes, page);
        if (g.type(v).dims.size() == 4) add_cache_plane(g, v, place);
    }
}

void ArenaLayout::add_cache_plane(const Graph& g, ValueId param, const Place& place) {
    const ValueId table = g.find_param("pages");
    if (table == no_id || g.type(table).dims.size() != 2)
        fail(g, param, "a paged cache needs the page table `pages`");
    const CacheLayout shape{.page_positions = constant(g, param, 2),
                            .pages = constant(g, param, 0),
                            .max_sequences = constant(g, table, 0),
                            .max_pages_per_sequence = constant(g, table, 1),
                            .planes = {}};
    if (cache_.planes.empty()) cache_ = shape;
    if (cache_.page_positions != shape.page_positions || cache_.pages != shape.pages ||
        cache_.max_sequences != shape.max_sequences ||
        cache_.max_pages_per_sequence != shape.max_pages_per_sequence)
        fail(g, param, "the caches of a model must have the same pages");
    const uint64_t page_bytes = place.bytes / shape.pages;
    cache_.planes.push_back({.offset = place.offset, .page_bytes = page_bytes});
    cache_.bytes_per_page += page_bytes;
}

void ArenaLayout::reserve_workspace(uint64_t bytes) {
    workspace_.bytes = std::max(workspace_.bytes, aligned(bytes, page));
}

Place ArenaLayout::place_of(const Graph& g, ValueId v) const {
    const Type& type = g.type(v);
    switch (type.pool) {
    case Pool::weights: {
        const WeightPiece& piece = table_.pieces()[piece_of_.at({&g, v})];
        return {Pool::weights, piece.offset, piece.bytes};
    }
    case Pool::state:
        return state_.at(g.values[storage_root(g, v)].name);
    case Pool::io: {
        const auto found = io_.find(g.values[v].name);
        if (found == io_.end()) fail(g, v, "a value of io is neither param nor result");
        return {Pool::io, found->second.offset, max_bytes(type, g.symbols)};
    }
    case Pool::transient:
        break;
    }
    if (!g.values[v].placement) fail(g, v, "it has no place in memory; the graph must be planned");
    return {Pool::transient, g.values[v].placement->offset, g.values[v].placement->bytes};
}

} // namespace ingot::codegen
