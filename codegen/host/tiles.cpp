#include "codegen/host/tiles.h"

#include <algorithm>

#include <fmt/format.h>

#include "codegen/host/rows.h"

namespace ingot::codegen {

using namespace ir;

bool SinkGroup::quantizes() const {
    return std::any_of(sinks.begin(), sinks.end(),
                       [](const Sink& s) { return s.kind == Sink::Kind::quantize; });
}

RootMap find_roots(const Region& region) {
    RootMap roots;
    for (NodeId id = 0; id < region.body.nodes.size(); ++id) {
        const Node& n = region.body.nodes[id];
        std::set<Root> found;
        for (const ValueId v : n.operands)
            if (const auto at = roots.find(v); at != roots.end())
                found.insert(at->second.begin(), at->second.end());
        if (n.op == Op::matmul) {
            if (!found.empty()) region.unsupported(n, "it reads the result of a product of the same kernel");
            found = {Root{.product = id, .begin = 0}};
        }
        if (found.empty()) continue;
        const bool tiled = is_pointwise(n.op) || n.op == Op::matmul || n.op == Op::slice_cols ||
                           n.op == Op::rope || n.op == Op::quantize || n.op == Op::kv_append ||
                           n.op == Op::argmax;
        if (!tiled) region.unsupported(n, "it can't follow a product in a host kernel");
        std::vector<Root> mine(found.begin(), found.end());
        if (n.op == Op::slice_cols)
            for (Root& r : mine)
                r.begin += int_attr(n, "begin");
        for (const ValueId v : n.results)
            roots[v] = mine;
    }
    return roots;
}

std::vector<SinkGroup> find_sinks(const Region& region, const RootMap& roots) {
    std::vector<SinkGroup> groups;
    const auto add = [&](Sink sink) {
        const std::vector<Root>& mine = roots.at(sink.value);
        const int64_t width = region.columns(sink.value);
        auto group = std::find_if(groups.begin(), groups.end(),
                                  [&](const SinkGroup& g) { return g.roots == mine && g.width == width; });
        if (group == groups.end())
            group = groups.insert(groups.end(), {.roots = mine, .width = width, .sinks = {}});
        group->sinks.push_back(sink);
    };
    for (NodeId id = 0; id < region.body.nodes.size(); ++id) {
        const Node& n = region.body.nodes[id];
        if (!roots.contains(n.results[0])) continue;
        const ValueId result = n.results[0];
        switch (n.op) {
        case Op::kv_append:
            if (!roots.contains(n.operands[1]))
                region.unsupported(n, "its cache is not an operand of the kernel");
            add({.kind = Sink::Kind::append, .value = n.operands[1], .node = id});
            break;
        case Op::argmax:
            if (!region.in_memory(n.operands[0]))
                region.unsupported(n, "the values that it chooses from must be a result of the kernel");
            add({.kind = Sink::Kind::argmax, .value = n.operands[0], .node = id});
            break;
        case Op::quantize:
            add({.kind = Sink::Kind::quantize, .value = n.operands[0], .node = id});
            break;
        default:
            if (region.result_index(result)) add({.kind = Sink::Kind::store, .value = result, .node = id});
        }
    }
    return groups;
}

std::string TileEmitter::at(int64_t shift) const {
    return shift == 0 ? tile_.column : fmt::format("{} + {}", tile_.column, shift);
}

std::string TileEmitter::from_memory(ValueId v, int64_t shift, int64_t width) {
    headers_.insert("pointwise.h");
    if (region_.type(v).element != Element::f32) region_.unsupported("an operand after a product is not f32");
    const std::string row = region_.row_pointer(v, "token");
    if (region_.columns(v) == 1 && width != 1) return fmt::format("splat(*{})", row);
    return fmt::format("load_lanes({} + {}, {})", row, at(shift), tile_.valid);
}

std::string TileEmitter::value(ValueId v, int64_t shift) {
    std::string& known = done_[{v, shift}]; // stays where it is while others are added
    if (!known.empty()) return known;
    const Node& n = *region_.producer(v);
    if (n.op == Op::matmul) {
        const auto at = tile_.registers.find({.product = region_.body.values[v].producer, .begin = shift});
        if (at == tile_.registers.end())
            region_.unsupported(n, "a value is computed from columns of several places");
        return known = at->second;
    }
    if (n.op == Op::slice_cols) return known = value(n.operands[0], shift + int_attr(n, "begin"));
    const std::string name = fmt::format("v{}_{}{}", v, shift, tile_.suffix);
    if (n.op == Op::rope) {
        out_.line(fmt::format("const f32x16 {} = {};", name, rope(n, shift)));
        return known = name;
    }
    if (!is_pointwise(n.op)) region_.unsupported(n, "its result is used inside the kernel that computes it");
    headers_.insert("pointwise.h");
    std::string formals, actuals;
    for (size_t i = 0; i < n.operands.size(); ++i) {
        const ValueId x = n.operands[i];
        const std::string comma = i == 0 ? "" : ", ";
        formals += fmt::format("{}f32x16 {}", comma, info(n.op).operands[i]);
        actuals += comma + (roots_.contains(x) ? value(x, shift) : from_memory(x, shift, region_.columns(v)));
    }
    out_.line(fmt::format("const f32x16 {} = []({}) {{ return {}; }}({});", name, formals,
                          info(n.op).expression, actuals));
    return known = name;
}

std::string TileEmitter::rope(const Node& n, int64_t shift) {
    headers_.insert("rope_channels.h");
    if (roots_.contains(n.operands[1])) region_.unsupported(n, "its angles are computed from a product");
    const std::string x = value(n.operands[0], shift), angles = region_.row_pointer(n.operands[1], "token");
    const int64_t head_dim = int_attr(n, "head_dim");
    if (tile_.aligned && shift % 16 == 0 && head_dim % 16 == 0)
        return fmt::format("rotate_pairs({}, {} + ({}) % {})", x, angles, at(shift), head_dim);
    return fmt::format("rotate_channels<{}>({}, {}, {})", head_dim, x, angles, at(shift));
}

void TileEmitter::consume(const Sink& sink) {
    const std::string y = value(sink.value);
    const Node& n = region_.body.nodes[sink.node];
    if (sink.kind == Sink::Kind::store) {
        headers_.insert("pointwise.h");
        out_.line(fmt::format("store_lanes({} + {}, {}, {});", region_.row_pointer(sink.value, "token"),
                              tile_.column, y, tile_.valid));
    } else if (sink.kind == Sink::Kind::append) {
        headers_.insert("kv_cache.h");
        const Type& cache = region_.type(n.operands[0]);
        out_.line(fmt::format("{}<{}>({}, {} + u64(u32({}[token])) * {}, {}[token], {}, {}, {});",
                              append_function(region_, n, cache), cache_arguments(region_, n, cache),
                              region_.memory_name(n.operands[0]), region_.memory_name(n.operands[4]),
                              region_.memory_name(n.operands[3]), region_.columns(n.operands[4]),
                              region_.memory_name(n.operands[2]), tile_.column, y, tile_.valid));
    } else if (sink.kind == Sink::Kind::argmax) {
        out_.line(fmt::format("best{}[token].fold({}, {}, {});", sink.node, y, tile_.column, tile_.valid));
    }
}

} // namespace ingot::codegen
