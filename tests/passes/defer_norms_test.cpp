// Deferred norms: what the pass makes, and that it computes the same.
#include "passes/defer_norms.h"

#include "ir/print.h"
#include "passes/lay_out_caches.h"
#include "passes/pipeline.h"
#include "tests/passes/decoder_graph.h"

#include <algorithm>

#include <gtest/gtest.h>

namespace ingot::tests {

using namespace ir;

namespace {

const passes::PassContext gpu{
    .row_tiles = true, .key_octets = true, .defer_norms = true, .products_alone = true};

Graph parsed(const char* body) {
    return parse(std::string("graph \"g\" phase canonical {\n  symbol T = 1..8\n") + body + "}\n");
}

} // namespace

TEST(DeferNorms, MakersAndReadersShareTheWork) {
    Graph g = parsed(R"(
  param %0 "x" : f32[T, 64] io
  param %1 "norm" : f32[64] weights
  param %2 "w" : q8_0[48, 64] weights
  %3 "n" = rms_norm "norm"(%0, %1) {eps = 1e-05} : f32[T, 64] transient
  %4 = matmul "w"(%3, %2) : f32[T, 48] io
  return %4
)");
    passes::defer_norms(g, gpu);
    EXPECT_EQ(print(g), print(parsed(R"(
  param %0 "x" : f32[T, 64] io
  param %1 "norm" : f32[64] weights
  param %2 "w" : q8_0[48, 64] weights
  %3 = mul "norm"(%0, %1) : f32[T, 64] transient
  %4 = square_sums "norm.sums"(%0) : f32[T, 2] transient
  %5 = norm_scale "norm.scale"(%4) {eps = 1e-05, columns = 64} : f32[T, 1] transient
  %6 = matmul "w"(%3, %2) : f32[T, 48] transient
  %7 = mul "w.scaled"(%6, %5) : f32[T, 48] io
  return %7
)")));
}

TEST(DeferNorms, LeavesNormsThatAreReadAsTheyAre) {
    const Graph before = parsed(R"(
  param %0 "x" : f32[T, 64] io
  param %1 "norm" : f32[64] weights
  param %2 "w" : f32[48, 64] weights
  %3 = rms_norm(%0, %1) {eps = 1e-05} : f32[T, 64] io
  %4 = matmul(%3, %2) : f32[T, 48] io
  return %3, %4
)");
    Graph g = before;
    passes::defer_norms(g, gpu);
    EXPECT_EQ(print(g), print(before));
}

TEST(DeferNorms, ALayerIsStillFiveKernels) {
    Graph g = decoder_layer({});
    passes::run_pipeline(g, gpu);
    std::vector<std::string> kernels;
    for (const Node& n : g.nodes)
        if (n.op == Op::fused) kernels.push_back(n.name);
    // What this layer's input is made by is outside of the graph, so two small kernels prepare it, beside the
    // angles.
    EXPECT_EQ(kernels.size(), 3U + 5U) << print(g);
    for (const Graph& body : g.bodies)
        for (const Node& n : body.nodes)
            EXPECT_NE(n.op, Op::rms_norm) << print(body);
    const auto paired = std::count_if(g.values.begin(), g.values.end(), [](const Value& v) {
        return v.producer != no_id && v.type.layout == Layout::row_tiles_pair;
    });
    EXPECT_EQ(paired, 1) << "gate and up lie tile by tile beside each other";
}

} // namespace ingot::tests
