#include "ir/node_graph.h"

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

// The edges in the order of that end, those of one node in the order in which they were.
std::vector<NodeGraph::Edge> sorted(const std::vector<NodeGraph::Edge>& edges, NodeId NodeGraph::Edge::* end,
                                    std::vector<size_t> begin) {
    std::vector<NodeGraph::Edge> out(edges.size());
    for (const NodeGraph::Edge& e : edges)
        out[begin[e.*end]++] = e;
    return out;
}

} // namespace

NodeGraph::NodeGraph(const Graph& g) : graph_(&g) {
    const std::vector<Edge> edges = edges_of(g);
    out_begin_ = begins(edges, &Edge::source, g.nodes.size());
    in_begin_ = begins(edges, &Edge::target, g.nodes.size());
    by_source_ = sorted(edges, &Edge::source, out_begin_);
    by_target_ = sorted(edges, &Edge::target, in_begin_);
}

} // namespace ingot::ir
