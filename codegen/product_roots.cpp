#include "codegen/product_roots.h"

#include <algorithm>
#include <set>

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
                           n.op == Op::argmax || n.op == Op::square_sums;
        if (!tiled) region.unsupported(n, "it can't follow a product in the same kernel");
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
        case Op::square_sums:
            add({.kind = Sink::Kind::square_sums, .value = n.operands[0], .node = id});
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

} // namespace ingot::codegen
