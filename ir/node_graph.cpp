#include "ir/node_graph.h"

#include <algorithm>

#include "ir/effects.h"

namespace ingot::ir {
namespace {

std::vector<NodeGraph::Edge> edges_of(const Graph& g) {
    std::vector<NodeGraph::Edge> edges;
    const std::vector<std::vector<NodeId>> readers_of = readers(g);
    for (NodeId target = 0; target < g.nodes.size(); ++target) {
        const Node& n = g.nodes[target];
        for (const ValueId v : n.operands)
            if (g.values[v].producer != no_id) edges.push_back({g.values[v].producer, target, v, false});
        for (const ValueId v : replaced_operands(g, n)) {
            if (v == no_id) continue;
            for (const NodeId reader : readers_of[v])
                if (reader != target) edges.push_back({reader, target, v, true});
        }
    }
    return edges;
}

// Index of the first edge of each node, for edges sorted by that end.
std::vector<size_t> begins(const std::vector<NodeGraph::Edge>& edges, NodeId NodeGraph::Edge::* end,
                           size_t nodes) {
    std::vector<size_t> begin(nodes + 1, 0);
    for (const NodeGraph::Edge& e : edges)
        ++begin[e.*end + 1];
    for (size_t n = 0; n < nodes; ++n)
        begin[n + 1] += begin[n];
    return begin;
}

} // namespace

NodeGraph::NodeGraph(const Graph& g) : graph_(&g), by_source_(edges_of(g)), by_target_(by_source_) {
    std::stable_sort(by_source_.begin(), by_source_.end(),
                     [](const Edge& a, const Edge& b) { return a.source < b.source; });
    std::stable_sort(by_target_.begin(), by_target_.end(),
                     [](const Edge& a, const Edge& b) { return a.target < b.target; });
    out_begin_ = begins(by_source_, &Edge::source, g.nodes.size());
    in_begin_ = begins(by_target_, &Edge::target, g.nodes.size());
}

} // namespace ingot::ir
