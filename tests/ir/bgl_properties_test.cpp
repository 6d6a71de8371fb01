// What the Boost Graph Library's algorithms say of random graphs, judged by definition.
#include <algorithm>
#include <limits>
#include <random>
#include <set>
#include <sstream>

#include <boost/graph/adjacency_list.hpp>
#include <boost/graph/dominator_tree.hpp>
#include <boost/graph/graphviz.hpp>
#include <boost/graph/incremental_components.hpp>
#include <boost/graph/sequential_vertex_coloring.hpp>
#include <boost/graph/strong_components.hpp>
#include <boost/graph/topological_sort.hpp>
#include <boost/graph/transitive_reduction.hpp>
#include <boost/pending/disjoint_sets.hpp>
#include <gtest/gtest.h>

#include "ir/bgl.h"
#include "ir/print.h"
#include "ir/verify.h"
#include "tests/ir/random_decoder.h"
#include "tests/ir/random_graph.h"
#include "tests/ir/random_regions.h"

namespace ingot::ir {
namespace {

constexpr size_t graphs = 100;

// Wild graphs, decoders, and either in regions: all that have edges of both kinds.
Graph graph_of(uint64_t seed) {
    const Graph g = seed % 2 == 0 ? test::random_graph(seed) : test::random_decoder(seed);
    return seed % 4 < 2 ? g : test::random_regions(g, Phase::scheduled, seed);
}

template <class Check>
void for_random_graphs(const Check& check) {
    const uint64_t first = std::random_device{}();
    for (uint64_t seed = first; seed < first + graphs; ++seed) {
        SCOPED_TRACE(testing::Message() << "seed " << seed);
        const Graph g = graph_of(seed);
        check(g, NodeGraph(g));
        if (testing::Test::HasFailure()) {
            ADD_FAILURE() << print(g);
            return;
        }
    }
}

// A property map from nodes to the elements of a vector.
template <class T>
auto by_node(std::vector<T>& values, const NodeGraph& nodes) {
    return boost::make_iterator_property_map(values.begin(), get(boost::vertex_index, nodes));
}

// All that `from` reaches, itself included, on paths that avoid `without`.
std::vector<bool> reached(const NodeGraph& nodes, NodeId from, NodeId without = no_id) {
    std::vector<bool> found(nodes.size(), false);
    if (from == without) return found;
    found[from] = true;
    for (NodeId n = from; n < nodes.size(); ++n) // edges go up
        for (const NodeGraph::Edge& e : nodes.out(n))
            if (found[n] && e.target != without) found[e.target] = true;
    return found;
}

// The graph with its nodes in another order.
Graph reordered(const Graph& g, const std::vector<NodeId>& order) {
    Graph out;
    out.name = g.name;
    out.phase = g.phase;
    out.symbols = g.symbols;
    std::vector<ValueId> renumbered(g.values.size(), no_id);
    const auto mapped = [&](std::vector<ValueId> ids) {
        for (ValueId& v : ids)
            v = renumbered[v];
        return ids;
    };
    for (const ValueId p : g.params)
        renumbered[p] = out.add_param(g.values[p].name, g.type(p));
    for (const NodeId id : order) {
        const Node& n = g.nodes[id];
        std::vector<Type> types;
        for (const ValueId v : n.results)
            types.push_back(g.type(v));
        const NodeId made = out.add_node(n.op, mapped(n.operands), types, n.attrs, n.name,
                                         n.body == no_id ? std::nullopt : std::optional(g.bodies[n.body]));
        for (size_t i = 0; i < n.results.size(); ++i)
            renumbered[n.results[i]] = out.nodes[made].results[i];
    }
    out.results = mapped(g.results);
    return out;
}

TEST(BglProperties, EveryTopologicalOrderIsALegalSchedule) {
    size_t moved = 0;
    for_random_graphs([&](const Graph& g, const NodeGraph& nodes) {
        std::vector<NodeId> order;
        boost::topological_sort(nodes, std::back_inserter(order)); // in reverse
        std::ranges::reverse(order);
        ASSERT_NO_THROW(verify(reordered(g, order)));
        if (!std::ranges::is_sorted(order)) ++moved;
    });
    EXPECT_GT(moved, 0U);
}

TEST(BglProperties, AnOrderAgainstAnEdgeIsNone) {
    size_t uses = 0, orders = 0;
    for_random_graphs([&](const Graph& g, const NodeGraph& nodes) {
        for (const NodeGraph::Edge& e : nodes.edges()) {
            if (e.target != e.source + 1) continue; // neighbours, so that swapping them breaks no other edge
            std::vector<NodeId> order;
            for (NodeId n = 0; n < nodes.size(); ++n)
                order.push_back(n == e.source ? e.target : n == e.target ? e.source : n);
            EXPECT_ANY_THROW(verify(reordered(g, order)));
            ++(e.order ? orders : uses);
        }
    });
    EXPECT_GT(uses, 0U);
    EXPECT_GT(orders, 0U);
}

TEST(BglProperties, DominatorsAreWhatEveryPathPasses) {
    for_random_graphs([](const Graph&, const NodeGraph& nodes) {
        if (nodes.size() == 0) return;
        std::vector<NodeId> dominator(nodes.size(), no_id);
        // The overload without these maps numbers what the entry does not reach as if it were the entry
        // (Boost 1.81).
        std::vector<size_t> number(nodes.size(), std::numeric_limits<size_t>::max());
        std::vector<NodeId> parent(nodes.size(), no_id), by_number(nodes.size(), no_id);
        boost::lengauer_tarjan_dominator_tree(nodes, NodeId{0}, get(boost::vertex_index, nodes),
                                              by_node(number, nodes), by_node(parent, nodes), by_number,
                                              by_node(dominator, nodes));
        const std::vector<bool> from_entry = reached(nodes, 0);
        for (NodeId n = 1; n < nodes.size(); ++n) {
            if (!from_entry[n]) {
                EXPECT_EQ(dominator[n], no_id);
                continue;
            }
            std::set<NodeId> expected, found;
            for (NodeId d = 0; d < n; ++d)
                if (!reached(nodes, 0, d)[n]) expected.insert(d);
            for (NodeId d = dominator[n]; d != no_id; d = dominator[d])
                found.insert(d);
            EXPECT_EQ(found, expected) << "of node " << n;
        }
    });
}

TEST(BglProperties, ComponentsAreWhatEdgesJoin) {
    for_random_graphs([](const Graph&, const NodeGraph& nodes) {
        std::vector<int> strong(nodes.size());
        EXPECT_EQ(static_cast<size_t>(boost::strong_components(nodes, by_node(strong, nodes))), nodes.size());

        std::vector<NodeId> rank(nodes.size()), parent(nodes.size());
        boost::disjoint_sets sets(by_node(rank, nodes), by_node(parent, nodes));
        boost::initialize_incremental_components(nodes, sets);
        boost::incremental_components(nodes, sets);
        std::vector<NodeId> label(
            nodes.size()); // the lowest node of each component, by passing it along edges
        for (NodeId n = 0; n < nodes.size(); ++n)
            label[n] = n;
        for (bool changed = true; changed;) {
            changed = false;
            for (const NodeGraph::Edge& e : nodes.edges()) {
                const NodeId low = std::min(label[e.source], label[e.target]);
                changed |= label[e.source] != low || label[e.target] != low;
                label[e.source] = label[e.target] = low;
            }
        }
        for (NodeId a = 0; a < nodes.size(); ++a)
            for (NodeId b = 0; b < a; ++b)
                EXPECT_EQ(sets.find_set(a) == sets.find_set(b), label[a] == label[b]);
    });
}

TEST(BglProperties, ColouringTellsNeighboursApart) {
    for_random_graphs([](const Graph&, const NodeGraph& nodes) {
        // Readers first, as the adapter's neighbours of a node are its readers.
        std::vector<NodeId> order;
        boost::topological_sort(nodes, std::back_inserter(order));
        std::vector<size_t> colour(nodes.size());
        const size_t colours = boost::sequential_vertex_coloring(
            nodes, boost::make_iterator_property_map(order.begin(), boost::identity_property_map()),
            by_node(colour, nodes));
        size_t most = 0;
        for (NodeId n = 0; n < nodes.size(); ++n) {
            EXPECT_LT(colour[n], colours);
            most = std::max(most, out_degree(n, nodes));
        }
        EXPECT_LE(colours, most + 1);
        for (const NodeGraph::Edge& e : nodes.edges())
            EXPECT_NE(colour[e.source], colour[e.target]);
    });
}

TEST(BglProperties, TransitiveReductionReachesTheSameByFewestEdges) {
    using Reduced = boost::adjacency_list<boost::vecS, boost::vecS, boost::directedS>;
    for_random_graphs([](const Graph&, const NodeGraph& nodes) {
        Reduced reduced;
        std::vector<Reduced::vertex_descriptor> image(nodes.size());
        boost::transitive_reduction(nodes, reduced, by_node(image, nodes), get(boost::vertex_index, nodes));
        std::set<std::pair<NodeId, NodeId>> expected, found;
        for (const NodeGraph::Edge& e : nodes.edges()) {
            // It is needed unless another reader of the source reaches the target.
            const auto out = nodes.out(e.source);
            if (std::ranges::none_of(out, [&](const NodeGraph::Edge& other) {
                    return other.target != e.target && reached(nodes, other.target)[e.target];
                }))
                expected.emplace(e.source, e.target);
        }
        std::vector<NodeId> of_image(nodes.size());
        for (NodeId n = 0; n < nodes.size(); ++n)
            of_image[image[n]] = n;
        for (const auto& e : boost::make_iterator_range(boost::edges(reduced)))
            found.emplace(of_image[boost::source(e, reduced)], of_image[boost::target(e, reduced)]);
        EXPECT_EQ(found, expected);
    });
}

TEST(BglProperties, GraphvizGetsEveryNodeAndEdge) {
    for_random_graphs([](const Graph& g, const NodeGraph& nodes) {
        std::ostringstream picture;
        boost::write_graphviz(picture, nodes, [&](std::ostream& out, NodeId n) {
            out << "[label=\"" << info(g.nodes[n].op).name << "\"]";
        });
        const std::string text = picture.str();
        size_t labels = 0, arrows = 0;
        for (size_t at = 0; (at = text.find("[label=", at)) != std::string::npos; ++at)
            ++labels;
        for (size_t at = 0; (at = text.find("->", at)) != std::string::npos; ++at)
            ++arrows;
        EXPECT_EQ(labels, nodes.size());
        EXPECT_EQ(arrows, num_edges(nodes));
    });
}

} // namespace
} // namespace ingot::ir
