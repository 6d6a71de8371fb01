#include "ir/error.h"
#include "ir/evaluate.h"
#include "ir/verify.h"
#include "passes/pipeline.h"
#include "passes/plan_memory.h"
#include "tests/ir/random_inputs.h"
#include "tests/passes/decoder_graph.h"
#include "tests/passes/golden.h"

#include <gtest/gtest.h>

#include <random>
#include <set>

namespace ingot::tests {

using namespace ir;

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

TEST(Pipeline, QuantisedActivationsLoseLittle) {
    const uint64_t seed = std::random_device{}();
    SCOPED_TRACE(testing::Message() << "seed " << seed);
    const DecoderShape shape{.max_tokens = 8};
    const Graph before = decoder_layer(shape);
    const EvalInputs in = test::random_inputs(before, seed);
    const double loss = test::nmse(evaluate(compiled(shape), in)[0], evaluate(before, in)[0]);
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

TEST(Pipeline, EveryPassHasGoldenTexts) {
    std::set<std::string> shown;
    for (const GoldenCase& golden : golden_cases(INGOT_TEST_DIR "/golden"))
        shown.insert(golden.pass);
    for (const passes::Pass& pass : passes::pipeline())
        EXPECT_TRUE(shown.contains(std::string(pass.name)))
            << pass.name << " has none (tests/passes/golden.h)";
}

TEST(Pipeline, StopsAfterThePhaseAskedFor) {
    Graph g = decoder_layer({});
    passes::run_pipeline(g, {}, {.stop_after = Phase::canonical});
    EXPECT_EQ(g.phase, Phase::canonical);
    EXPECT_TRUE(kernels(g).empty());
}

} // namespace ingot::tests
