// Graph as the Boost Graph Library sees it: a read-only adapter, so that its algorithms (topological order,
// dominators, components, colouring, transitive reduction) run on our nodes without a copy of them. Models
// VertexListGraph, EdgeListGraph, BidirectionalGraph and AdjacencyGraph, with a vertex_index map. Include it
// where an algorithm is used; no interface of ours mentions Boost. Concepts:
// https://www.boost.org/doc/libs/1_81_0/libs/graph/doc/graph_concepts.html
#pragma once

#include <boost/graph/adjacency_iterator.hpp>
#include <boost/graph/graph_traits.hpp>
#include <boost/graph/properties.hpp>
#include <boost/iterator/counting_iterator.hpp>
#include <boost/property_map/property_map.hpp>

#include <span>
#include <utility>

#include "ir/node_graph.h"

template <>
struct boost::graph_traits<ingot::ir::NodeGraph> {
    using vertex_descriptor = ingot::ir::NodeId;
    using edge_descriptor = ingot::ir::NodeGraph::Edge;
    using directed_category = boost::bidirectional_tag;
    using edge_parallel_category = boost::allow_parallel_edge_tag;
    struct traversal_category : boost::bidirectional_graph_tag,
                                boost::adjacency_graph_tag,
                                boost::vertex_list_graph_tag,
                                boost::edge_list_graph_tag {};
    using vertex_iterator = boost::counting_iterator<vertex_descriptor>;
    using out_edge_iterator = const edge_descriptor*;
    using in_edge_iterator = const edge_descriptor*;
    using edge_iterator = const edge_descriptor*;
    using adjacency_iterator =
        boost::adjacency_iterator_generator<ingot::ir::NodeGraph, vertex_descriptor, out_edge_iterator>::type;
    using vertices_size_type = size_t;
    using edges_size_type = size_t;
    using degree_size_type = size_t;
    static vertex_descriptor null_vertex() { return ingot::ir::no_id; }
};

// Algorithms that take their graph by reference deduce this one.
template <>
struct boost::graph_traits<const ingot::ir::NodeGraph> : boost::graph_traits<ingot::ir::NodeGraph> {};

template <>
struct boost::property_map<ingot::ir::NodeGraph, boost::vertex_index_t> {
    using type = boost::typed_identity_property_map<ingot::ir::NodeId>;
    using const_type = type;
};

namespace ingot::ir {

using NodeGraphTraits = boost::graph_traits<NodeGraph>;

inline auto range_of(std::span<const NodeGraph::Edge> edges) {
    return std::pair(edges.data(), edges.data() + edges.size());
}

inline auto vertices(const NodeGraph& g) {
    using Iterator = NodeGraphTraits::vertex_iterator;
    return std::pair(Iterator(0), Iterator(static_cast<NodeId>(g.size())));
}
inline size_t num_vertices(const NodeGraph& g) {
    return g.size();
}
inline auto edges(const NodeGraph& g) {
    return range_of(g.edges());
}
inline size_t num_edges(const NodeGraph& g) {
    return g.edges().size();
}
inline NodeId source(const NodeGraph::Edge& e, const NodeGraph&) {
    return e.source;
}
inline NodeId target(const NodeGraph::Edge& e, const NodeGraph&) {
    return e.target;
}
inline auto out_edges(NodeId n, const NodeGraph& g) {
    return range_of(g.out(n));
}
inline auto in_edges(NodeId n, const NodeGraph& g) {
    return range_of(g.in(n));
}
inline size_t out_degree(NodeId n, const NodeGraph& g) {
    return g.out(n).size();
}
inline size_t in_degree(NodeId n, const NodeGraph& g) {
    return g.in(n).size();
}
inline size_t degree(NodeId n, const NodeGraph& g) {
    return g.in(n).size() + g.out(n).size();
}
inline auto adjacent_vertices(NodeId n, const NodeGraph& g) {
    using Iterator = NodeGraphTraits::adjacency_iterator;
    const auto [begin, end] = out_edges(n, g);
    return std::pair(Iterator(begin, &g), Iterator(end, &g));
}
inline auto get(boost::vertex_index_t, const NodeGraph&) {
    return boost::typed_identity_property_map<NodeId>();
}
inline NodeId get(boost::vertex_index_t, const NodeGraph&, NodeId n) {
    return n;
}

} // namespace ingot::ir
