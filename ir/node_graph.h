// The nodes of a graph with the edges between them, indexed in both directions.
#pragma once

#include <span>
#include <vector>

#include "ir/graph.h"

namespace ingot::ir {

// An edge says that its source must run before its target. Every topological order of the edges is a legal
// schedule. The graph must outlive this and be well-formed.
class NodeGraph {
  public:
    struct Edge {
        NodeId source = no_id, target = no_id;
        ValueId value = no_id; // that passes along the edge, or whose storage the target changes
        bool order =
            false; // not a use: the source reads the version of `value` that the target changes in place
        bool operator==(const Edge&) const = default;
    };

    using out_edge_iterator = const Edge*; // some algorithms look for it here instead of in the traits

    explicit NodeGraph(const Graph& g);

    size_t size() const { return graph_->nodes.size(); }
    const Graph& graph() const { return *graph_; }
    std::span<const Edge> edges() const { return by_source_; }
    std::span<const Edge> out(NodeId n) const { return slice(by_source_, out_begin_, n); }
    std::span<const Edge> in(NodeId n) const { return slice(by_target_, in_begin_, n); }

  private:
    static std::span<const Edge> slice(const std::vector<Edge>& edges, const std::vector<size_t>& begin,
                                       NodeId n) {
        return std::span(edges).subspan(begin[n], begin[n + 1] - begin[n]);
    }

    const Graph* graph_;
    std::vector<Edge> by_source_, by_target_;
    std::vector<size_t> out_begin_, in_begin_; // of each node's edges, and one past the last
};

} // namespace ingot::ir
