// Random graphs through every pass: each has to leave the numbers as they were.
#include <cmath>
#include <random>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "ir/evaluate.h"
#include "ir/print.h"
#include "passes/pipeline.h"
#include "passes/rewrite.h"
#include "tests/ir/random_decoder.h"
#include "tests/ir/random_graph.h"
#include "tests/ir/random_inputs.h"
#include "tests/passes/same_numbers.h"

namespace ingot::tests {

using namespace ir;

namespace {

constexpr int wild_graphs = 300, decoders = 60;
constexpr double lossless = 1e-7; // NMSE

const passes::PassContext host,
    gpu{.row_tiles = true, .key_octets = true, .defer_norms = true, .products_alone = true};

Graph compiled(const Graph& imported, std::vector<std::string> disabled,
               const passes::PassContext& context = host) {
    Graph g = imported;
    passes::run_pipeline(g, context, {.disabled = std::move(disabled)});
    return g;
}

// The graph with every quantize taken out again.
Graph without_quantize(const Graph& g) {
    passes::Rewriter r(g);
    for (NodeId id = 0; id < g.nodes.size(); ++id) {
        const Node& n = g.nodes[id];
        if (n.op == Op::quantize)
            r.map(n.results[0], r(n.operands[0]));
        else
            r.copy(id);
    }
    return r.finish();
}

// What 8-bit inputs cost: each product beside the same product of the input as it was, by NMSE over all of
// them. What a whole graph then makes of that has no bound: it may subtract values that are nearly equal, or
// choose.
void expect_products_lose_little(const Graph& quantized, uint64_t seed) {
    Graph g = quantized;
    g.results.clear();
    for (NodeId id = 0; id < quantized.nodes.size(); ++id) {
        const Node& n = quantized.nodes[id];
        const Node* maker = n.op == Op::matmul ? quantized.producer(n.operands[0]) : nullptr;
        if (!maker || maker->op != Op::quantize) continue;
        g.results.push_back(n.results[0]);
        g.results.push_back(g.add(Op::matmul, {maker->operands[0], n.operands[1]}));
    }
    if (g.results.empty()) return;
    for (Value& v : g.values) // the results that are no longer any
        if (v.producer != no_id && v.type.pool == Pool::io) v.type.pool = Pool::transient;
    double error = 0, power = 0;
    const std::vector<Tensor> products = evaluate(g, test::random_inputs(g, seed));
    for (size_t i = 0; i < products.size(); i += 2) {
        const std::vector<float> out = products[i].to_floats(), exact = products[i + 1].to_floats();
        for (size_t j = 0; j < out.size(); ++j) {
            error += std::pow(static_cast<double>(out[j]) - exact[j], 2);
            power += std::pow(static_cast<double>(exact[j]), 2);
        }
    }
    EXPECT_LE(error / power, 5e-4) << print(quantized);
    EXPECT_GT(error, 0) << "nothing was quantised\n" << print(quantized);
}

// Steps through the pipeline; after each pass the graph computes what it did before, and its text reads back.
void expect_passes_keep_numbers(const Graph& imported, uint64_t seed, const passes::PassContext& context) {
    Graph g = imported;
    for (const passes::Pass& pass : passes::pipeline()) {
        SCOPED_TRACE(pass.name);
        const Graph before = g;
        passes::run_passes(g, std::vector{std::string(pass.name)}, context);
        ASSERT_EQ(parse(print(g)), g);
        if (pass.name == "quantize-activations")
            ASSERT_EQ(without_quantize(g), before);
        else
            expect_same_numbers(before, g, seed, lossless);
        if (testing::Test::HasFailure()) return;
    }
}

// Calls check(graph, seed) for fresh graphs until one fails.
template <class Make, class Check>
void for_random(int count, const Make& make, const Check& check) {
    const uint64_t first = std::random_device{}();
    for (uint64_t seed = first; seed < first + static_cast<uint64_t>(count); ++seed) {
        SCOPED_TRACE(testing::Message() << "seed " << seed);
        ASSERT_NO_THROW(check(make(seed), seed)) << print(make(seed));
        if (testing::Test::HasFailure()) return;
    }
}

Graph wild(uint64_t seed) {
    return test::random_graph(seed, {.symbols = seed % 3 != 0});
}

} // namespace

TEST(Equivalence, EachPassKeepsTheNumbersOfWildGraphs) {
    for_random(wild_graphs, wild, [](const Graph& g, uint64_t seed) {
        expect_passes_keep_numbers(g, seed, seed % 2 == 0 ? gpu : host);
    });
}

TEST(Equivalence, EachPassKeepsTheNumbersOfDecoders) {
    for_random(decoders, test::random_decoder, [](const Graph& g, uint64_t seed) {
        expect_passes_keep_numbers(g, seed, seed % 2 == 0 ? gpu : host);
    });
}

TEST(Equivalence, ProductsOfDecodersLoseLittleTo8BitInputs) {
    for_random(decoders, test::random_decoder, [](const Graph& imported, uint64_t seed) {
        Graph g = imported;
        passes::run_passes(g, std::vector<std::string>{"canonicalize", "quantize-activations"}, {});
        expect_products_lose_little(g, seed);
    });
}

// Quantising loses something; without it, and also with it, no other pass does.
TEST(Equivalence, DecodersComputeTheSameWhateverIsDisabled) {
    for_random(decoders, test::random_decoder, [](const Graph& g, uint64_t seed) {
        const Graph quantized = compiled(g, {});
        std::vector<std::string> all;
        for (const passes::Pass& pass : passes::pipeline()) {
            if (pass.required) continue;
            SCOPED_TRACE(testing::Message() << "without " << pass.name);
            const std::string name(pass.name);
            all.push_back(name);
            for (const passes::PassContext* context : {&host, &gpu})
                expect_same_numbers(g, compiled(g, {name, "quantize-activations"}, *context), seed, lossless);
            if (pass.name != "quantize-activations")
                expect_same_numbers(quantized, compiled(g, {name}), seed, lossless);
        }
        expect_same_numbers(g, compiled(g, all), seed, lossless);
    });
}

TEST(Equivalence, WildGraphsComputeTheSameWhateverIsDisabled) {
    for_random(wild_graphs, wild, [](const Graph& g, uint64_t seed) {
        std::vector<std::string> disabled = {"quantize-activations"};
        for (size_t i = 0; i < passes::pipeline().size(); ++i)
            if (!passes::pipeline()[i].required && (seed >> i) % 2 == 0)
                disabled.emplace_back(passes::pipeline()[i].name);
        expect_same_numbers(g, compiled(g, disabled, seed % 2 == 0 ? gpu : host), seed, lossless);
    });
}

} // namespace ingot::tests
