#include "ir/error.h"
#include "ir/evaluate.h"
#include "ir/verify.h"
#include "passes/pipeline.h"
#include "passes/plan_memory.h"
#include "tests/passes/decoder_graph.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <random>

namespace ingot::tests {

using namespace ir;
using passes::PipelineOptions;

namespace {

std::vector<const Node*> kernels(const Graph& g) {
    std::vector<const Node*> out;
    for (const Node& n : g.nodes)
        if (n.op == Op::fused) out.push_back(&n);
    return out;
}

Graph compiled(const DecoderShape& shape, std::vector<std::string> disabled = {}) {
    Graph g = decoder_layer(shape);
    passes::run_pipeline(g, {}, {.disabled = std::move(disabled)});
    return g;
}

Tensor random_floats(std::vector<int64_t> dims, std::mt19937& random) {
    int64_t count = 1;
    for (int64_t d : dims)
        count *= d;
    std::normal_distribution<float> normal;
    std::vector<float> values(static_cast<size_t>(count));
    for (float& v : values)
        v = normal(random);
    return Tensor::from_floats(std::move(dims), values);
}

Tensor random_q4_1(int64_t rows, int64_t cols, std::mt19937& random) {
    std::vector<std::byte> blocks(static_cast<size_t>(rows * cols / 32 * 20));
    for (std::byte& b : blocks)
        b = static_cast<std::byte>(random());
    const _Float16 scale[2] = {static_cast<_Float16>(0.03F), static_cast<_Float16>(-0.22F)};
    for (size_t at = 0; at < blocks.size(); at += 20)
        std::memcpy(&blocks[at], scale, sizeof scale);
    Tensor t = Tensor::zeros(Element::q4_1, {rows, cols});
    std::ranges::copy(blocks, t.mutable_data().begin());
    return t;
}

// Fresh values for every param of the layer, three tokens at positions 14, 15, 16: across a page's border.
EvalInputs random_inputs(const Graph& g, int64_t tokens, uint32_t seed) {
    std::mt19937 random(seed);
    EvalInputs in;
    for (ValueId p : g.params) {
        const Value& v = g.values[p];
        std::vector<int64_t> dims;
        for (const Dim& d : v.type.dims)
            dims.push_back(d.is_symbol() ? tokens : d.constant());
        if (v.name == "positions") {
            std::vector<int32_t> ids;
            for (int64_t t = 0; t < tokens; ++t)
                ids.push_back(static_cast<int32_t>(14 + t));
            in.params[v.name] = Tensor::from_ints(dims, ids);
        } else if (v.name == "seqs") {
            in.params[v.name] = Tensor::from_ints(dims, std::vector<int32_t>(static_cast<size_t>(tokens), 0));
        } else if (v.name == "pages") {
            in.params[v.name] = Tensor::from_ints(dims, std::vector<int32_t>{2, 0, 1});
        } else if (v.type.element == Element::q4_1) {
            in.params[v.name] = random_q4_1(dims[0], dims[1], random);
        } else if (v.type.element == Element::f16) {
            in.params[v.name] = Tensor::zeros(Element::f16, dims);
        } else {
            in.params[v.name] = random_floats(dims, random);
        }
    }
    return in;
}

double nmse(const std::vector<float>& out, const std::vector<float>& ref) {
    double error = 0, power = 0;
    for (size_t i = 0; i < ref.size(); ++i) {
        error += std::pow(static_cast<double>(out[i]) - ref[i], 2);
        power += std::pow(static_cast<double>(ref[i]), 2);
    }
    return error / power; // NaN if either holds one, which no comparison accepts
}

} // namespace

TEST(Pipeline, ADecoderLayerIsFiveKernelsAndTheStepsInputsOne) {
    for (const int64_t tokens : {1, 512}) {
        const Graph g = compiled({.max_tokens = tokens});
        std::vector<std::string> names;
        for (const Node* n : kernels(g))
            names.push_back(n->name);
        EXPECT_EQ(names, (std::vector<std::string>{"angles", "attn_q+attn_k+attn_v", "attention",
                                                   "attn_output", "ffn_gate+ffn_up", "ffn_down"}))
            << "at most " << tokens << " tokens";
    }
}

TEST(Pipeline, TheInputOfQuantisedProductsCrossesKernelsInBlocksOf8Bits) {
    const Graph g = compiled({});
    const auto list = kernels(g);
    EXPECT_EQ(g.type(list[2]->results[0]).element, Element::q8a) << "attention's result";
    EXPECT_EQ(g.type(list[4]->results[0]).element, Element::q8a) << "the gated activation";
}

TEST(Pipeline, GateAndUpTakeTurnsInPanelsAndOthersDoNot) {
    const Graph g = compiled({});
    for (const Node& n : g.nodes) {
        if (n.op != Op::pack) continue;
        const Layout layout = g.type(n.results[0]).layout;
        EXPECT_EQ(layout, n.name == "ffn_gate+ffn_up" ? Layout::panel16_pair : Layout::panel16) << n.name;
    }
}

TEST(Pipeline, ManyTokensShareTheNormalisedInput) {
    EXPECT_EQ(kernels(compiled({.max_tokens = 1}))[1]->results.size(), 3U) << "q and two caches";
    EXPECT_EQ(kernels(compiled({.max_tokens = 512}))[1]->results.size(), 4U) << "and the quantised input";
}

TEST(Pipeline, WithoutQuantisationTheNumbersStayTheSame) {
    const uint32_t seed = std::random_device{}();
    SCOPED_TRACE(testing::Message() << "seed " << seed);
    const DecoderShape shape{.max_tokens = 8};
    const Graph before = decoder_layer(shape);
    const EvalInputs in = random_inputs(before, 3, seed);
    const std::vector<Tensor> expected = evaluate(before, in);
    const std::vector<Tensor> got = evaluate(compiled(shape, {"quantize-activations"}), in);
    ASSERT_EQ(got.size(), expected.size());
    for (size_t i = 0; i < got.size(); ++i)
        EXPECT_LE(nmse(got[i].to_floats(), expected[i].to_floats()), 1e-12) << "result " << i;
}

TEST(Pipeline, QuantisedActivationsLoseLittle) {
    const uint32_t seed = std::random_device{}();
    SCOPED_TRACE(testing::Message() << "seed " << seed);
    const DecoderShape shape{.max_tokens = 8};
    const Graph before = decoder_layer(shape);
    const EvalInputs in = random_inputs(before, 3, seed);
    const double loss =
        nmse(evaluate(compiled(shape), in)[0].to_floats(), evaluate(before, in)[0].to_floats());
    EXPECT_LE(loss, 5e-4);
    EXPECT_GT(loss, 0) << "nothing was quantised";
}

TEST(Pipeline, ThePlanReachesTheLowerBound) {
    const Graph g = compiled({.max_tokens = 512});
    const passes::MemoryReport report = passes::memory_report(g);
    EXPECT_EQ(report.peak, report.lower_bound);
    EXPECT_GT(report.peak, 0U);
}

TEST(Pipeline, RefusesToDisableWhatItDoesNotKnowOrNeeds) {
    Graph g = decoder_layer({});
    EXPECT_THROW(passes::run_pipeline(g, {}, {.disabled = {"no-such-pass"}}), Error);
    EXPECT_THROW(passes::run_pipeline(g, {}, {.disabled = {"fuse-regions"}}), Error);
}

TEST(Pipeline, StopsAfterThePhaseAskedFor) {
    Graph g = decoder_layer({});
    passes::run_pipeline(g, {}, {.stop_after = Phase::canonical});
    EXPECT_EQ(g.phase, Phase::canonical);
    EXPECT_TRUE(kernels(g).empty());
}

} // namespace ingot::tests
