#include "passes/merge_projections.h"

#include <map>
#include <tuple>

#include "passes/rewrite.h"

namespace ingot::passes {

using namespace ir;

namespace {

// "blk.0.attn_q" and its like become "blk.0.attn_q+attn_k+attn_v".
std::string joined_name(const Graph& g, const std::vector<NodeId>& group) {
    std::string name;
    for (NodeId id : group) {
        const std::string& part = g.nodes[id].name;
        if (name.empty()) {
            name = part;
        } else {
            const size_t dot = part.rfind('.');
            name += "+" + (dot == std::string::npos ? part : part.substr(dot + 1));
        }
    }
    return name;
}

} // namespace

void merge_projections(Graph& g, const PassContext&) {
    using Key = std::tuple<ValueId, Element>; // K is that of the input
    std::map<Key, std::vector<NodeId>> groups;
    const auto read_by = readers(g);
    for (NodeId id = 0; id < g.nodes.size(); ++id) {
        const Node& n = g.nodes[id];
        if (n.op != Op::matmul || is_result(g, n.results[0])) continue;
        // Only weights that are params: they are defined before everything, so the merged product may stand
        // where the first of them stood.
        const ValueId weight = n.operands[1];
        if (g.producer(weight) || g.type(weight).layout != Layout::rows || read_by[weight].size() > 1)
            continue;
        groups[{n.operands[0], g.type(weight).element}].push_back(id);
    }
    std::vector<const std::vector<NodeId>*> group_of(g.nodes.size(), nullptr);
    for (const auto& [key, group] : groups)
        if (group.size() > 1)
            for (NodeId id : group)
                group_of[id] = &group;

    Rewriter r(g);
    for (NodeId id = 0; id < g.nodes.size(); ++id) {
        const std::vector<NodeId>* group = group_of[id];
        if (!group) {
            r.copy(id);
            continue;
        }
        if (id != group->front()) continue;
        std::vector<ValueId> weights;
        for (NodeId member : *group)
            weights.push_back(r(g.nodes[member].operands[1]));
        const std::string name = joined_name(g, *group);
        const ValueId weight = r.graph.add(Op::concat_rows, weights, {}, name);
        const ValueId y = r.graph.add(Op::matmul, {r(g.nodes[id].operands[0]), weight}, {}, name);
        int64_t begin = 0;
        for (NodeId member : *group) {
            const Node& n = g.nodes[member];
            const int64_t end = begin + g.type(n.results[0]).dims.back().constant();
            const ValueId part = r.graph.add(Op::slice_cols, {y}, {{"begin", begin}, {"end", end}}, n.name);
            r.inherit(n.results[0], part);
            begin = end;
        }
    }
    g = r.finish();
}

} // namespace ingot::passes
