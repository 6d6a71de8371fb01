// Graphs as others see them: the Boost Graph Library, Graphviz, JSON.
#include <algorithm>

#include <boost/graph/dominator_tree.hpp>
#include <boost/graph/graph_concepts.hpp>
#include <boost/graph/graphviz.hpp>
#include <boost/graph/strong_components.hpp>
#include <boost/graph/topological_sort.hpp>
#include <boost/graph/transitive_reduction.hpp>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "ir/bgl.h"
#include "ir/dot.h"
#include "ir/json.h"
#include "ir/print.h"
#include "tests/ir/random_graph.h"
#include "tests/ir/random_regions.h"

namespace ingot::ir {
namespace {

BOOST_CONCEPT_ASSERT((boost::VertexListGraphConcept<NodeGraph>));
BOOST_CONCEPT_ASSERT((boost::EdgeListGraphConcept<NodeGraph>));
BOOST_CONCEPT_ASSERT((boost::BidirectionalGraphConcept<NodeGraph>));
BOOST_CONCEPT_ASSERT((boost::AdjacencyGraphConcept<NodeGraph>));

// A diamond (0 → 1, 2 → 3), then an append (5) that has to wait for the attention (4) that reads the old
// version.
constexpr std::string_view diamond = R"(graph "g" phase imported {
  param %0 "x" : f32[4, 16] io
  param %1 "cache" : f32[2, 2, 4, 8] state
  param %2 "positions" : i32[4] io
  param %3 "pages" : i32[1, 1] io
  %4 = neg(%0) : f32[4, 16] transient
  %5 = silu(%4) : f32[4, 16] transient
  %6 = gelu(%4) : f32[4, 16] transient
  %7 = add(%5, %6) : f32[4, 16] transient
  %8 = attention(%7, %1, %1, %2, %2, %3) {scale = 1.0} : f32[4, 16] transient
  %9 = kv_append(%1, %0, %2, %2, %3) : f32[2, 2, 4, 8] state
  return %8, %9
})";

TEST(Bgl, EdgesAreUsesAndOrder) {
    const Graph g = parse(diamond);
    const NodeGraph nodes(g);
    EXPECT_EQ(num_vertices(nodes), 6U);
    EXPECT_THAT(nodes.out(0),
                testing::ElementsAre(NodeGraph::Edge{0, 1, 4, false}, NodeGraph::Edge{0, 2, 4, false}));
    EXPECT_THAT(nodes.in(3),
                testing::ElementsAre(NodeGraph::Edge{1, 3, 5, false}, NodeGraph::Edge{2, 3, 6, false}));
    EXPECT_THAT(nodes.in(5), testing::ElementsAre(NodeGraph::Edge{4, 5, 1, true}));
    EXPECT_EQ(num_edges(nodes), 6U);
    EXPECT_EQ(degree(3, nodes), 3U);
    const auto [begin, end] = adjacent_vertices(0, nodes);
    EXPECT_THAT(std::vector<NodeId>(begin, end), testing::ElementsAre(1, 2));
}

TEST(Bgl, AlgorithmsRun) {
    const Graph g = parse(diamond);
    const NodeGraph nodes(g);
    std::vector<NodeId> order;
    boost::topological_sort(nodes, std::back_inserter(order)); // in reverse
    std::reverse(order.begin(), order.end());
    ASSERT_EQ(order.size(), 6U);
    for (const NodeGraph::Edge& e : nodes.edges())
        EXPECT_LT(std::find(order.begin(), order.end(), e.source),
                  std::find(order.begin(), order.end(), e.target));

    std::vector<NodeId> dominator(6, no_id);
    boost::lengauer_tarjan_dominator_tree(
        nodes, NodeId{0},
        boost::make_iterator_property_map(dominator.begin(), get(boost::vertex_index, nodes)));
    EXPECT_THAT(dominator, testing::ElementsAre(no_id, 0, 0, 0, 3, 4));

    std::vector<int> component(6);
    EXPECT_EQ(boost::strong_components(nodes, boost::make_iterator_property_map(
                                                  component.begin(), get(boost::vertex_index, nodes))),
              6);

    std::ostringstream picture;
    boost::write_graphviz(picture, nodes);
    EXPECT_THAT(picture.str(), testing::HasSubstr("4->5"));
}

TEST(Bgl, TransitiveReductionDropsWhatFollows) {
    const Graph g = parse(R"(graph "g" phase imported {
      param %0 "x" : f32[4] io
      %1 = neg(%0) : f32[4] transient
      %2 = silu(%1) : f32[4] transient
      %3 = add(%1, %2) : f32[4] transient
      return %3
    })");
    const NodeGraph nodes(g);
    ASSERT_EQ(num_edges(nodes), 3U);
    using Reduced = boost::adjacency_list<boost::vecS, boost::vecS, boost::directedS>;
    Reduced reduced;
    std::vector<boost::graph_traits<Reduced>::vertex_descriptor> image(3);
    boost::transitive_reduction(
        nodes, reduced, boost::make_iterator_property_map(image.begin(), get(boost::vertex_index, nodes)),
        get(boost::vertex_index, nodes));
    EXPECT_EQ(boost::num_edges(reduced), 2U);
    EXPECT_FALSE(boost::edge(image[0], image[2], reduced).second);
}

TEST(Bgl, EveryRandomGraphIsAcyclicAndInOrder) {
    const uint64_t seed = std::random_device{}();
    for (uint64_t i = seed; i < seed + 300; ++i) {
        SCOPED_TRACE(i);
        const Graph g = test::random_graph(i);
        const NodeGraph nodes(g);
        for (const NodeGraph::Edge& e : nodes.edges())
            ASSERT_LT(e.source, e.target);
        std::vector<NodeId> order;
        ASSERT_NO_THROW(boost::topological_sort(nodes, std::back_inserter(order)));
    }
}

TEST(Dot, ShowsParamsNodesRegionsAndResults) {
    Graph g = parse(R"(graph "a \"quoted\" \x00 name" phase fused {
      symbol T = 1..4
      param %0 "x\\" : f32[T, 4] io
      %1 = fused "first"(%0) : f32[T, 4] transient body {
        param %0 : f32[T, 4] io
        %1 = neg(%0) : f32[T, 4] transient
        %2 = silu "act"(%1) : f32[T, 4] transient
        return %2
      }
      %2 = fused(%1) : f32[T, 4] io body {
        param %0 : f32[T, 4] transient
        %1 = relu(%0) : f32[T, 4] transient
        return %1
      }
      return %2
    })");
    EXPECT_EQ(dot(g), R"(digraph "a \"quoted\" ? name" {
  node [shape=ellipse, fontname="sans-serif"];
  p0 [shape=box, color="#55a868", label="x\\\nf32[T, 4] io"];
  subgraph cluster_n0 {
    label="fused first";
    n0n0 [label="neg \nf32[T, 4] transient"];
    p0 -> n0n0 [color="#55a868", tooltip="%0 f32[T, 4] io"];
    n0n1 [label="silu act\nf32[T, 4] transient"];
    n0n0 -> n0n1 [color="#555555", tooltip="%1 f32[T, 4] transient"];
  }
  subgraph cluster_n1 {
    label="fused ";
    n1n0 [label="relu \nf32[T, 4] transient"];
    n0n1 -> n1n0 [color="#555555", tooltip="%0 f32[T, 4] transient"];
  }
  r0 [shape=plaintext, label="result 0\n"];
  n1n0 -> r0 [color="#55a868", tooltip="%2 f32[T, 4] io"];
}
)");
}

TEST(Json, HasWhatTheGraphHas) {
    Graph g = parse(R"(graph "g\xff" phase planned {
      symbol T = 1..4
      param %0 "x" : f32[T, 4] io
      %1 = constant() {values = [1.5, nan, -inf]} : f32[3] weights
      %2 "r" = fused "f"(%0) : f32[T, 4] transient at 64 size 128 body {
        param %0 : f32[T, 4] io
        %1 = neg(%0) : f32[T, 4] transient
        return %1
      }
      return %2
    })");
    const auto j = nlohmann::json::parse(json(g));
    EXPECT_EQ(j["name"], "g\xef\xbf\xbd"); // U+FFFD
    EXPECT_EQ(j["phase"], "planned");
    EXPECT_EQ(j["symbols"], nlohmann::json::parse(R"([{"name": "T", "min": 1, "max": 4}])"));
    EXPECT_EQ(
        j["values"][0]["type"],
        nlohmann::json::parse(R"({"element": "f32", "dims": ["T", 4], "layout": "rows", "pool": "io"})"));
    EXPECT_EQ(j["values"][2]["placement"], nlohmann::json::parse(R"({"offset": 64, "bytes": 128})"));
    EXPECT_EQ(j["values"][2]["producer"], 1);
    EXPECT_FALSE(j["values"][0].contains("producer"));
    EXPECT_EQ(j["nodes"][0]["attrs"], nlohmann::json::parse(R"({"values": [1.5, "nan", "-inf"]})"));
    EXPECT_EQ(j["nodes"][1]["body"]["nodes"][0]["op"], "neg");
    EXPECT_EQ(j["results"], nlohmann::json::parse("[2]"));
}

TEST(Adapters, WriteEveryRandomGraph) {
    const uint64_t seed = std::random_device{}();
    for (uint64_t i = seed; i < seed + 200; ++i) {
        SCOPED_TRACE(i);
        const Graph g = test::random_graph(i);
        const Graph fused = test::random_regions(g, Phase::planned, i);
        for (const Graph* each : {&g, &fused}) {
            ASSERT_TRUE(nlohmann::json::accept(json(*each)));
            const std::string picture = dot(*each);
            ASSERT_EQ(std::count(picture.begin(), picture.end(), '{'),
                      std::count(picture.begin(), picture.end(), '}'));
        }
    }
}

} // namespace
} // namespace ingot::ir
