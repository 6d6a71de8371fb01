// Whatever passes make of a graph, each of its kernels has a source or is refused in one clear line.
#include <random>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "codegen/build_plan.h"
#include "codegen/host_source.h"
#include "ir/error.h"
#include "ir/print.h"
#include "passes/pipeline.h"
#include "tests/codegen/kernel_bodies.h"
#include "tests/ir/random_decoder.h"
#include "tests/ir/random_graph.h"

namespace ingot::codegen::test {
namespace {

using namespace ir;

// What is said of kernels that have none.
std::vector<std::string> refusals(const Graph& imported, std::vector<std::string> disabled) {
    Graph g = imported;
    passes::run_pipeline(g, {}, {.disabled = std::move(disabled)});
    std::vector<std::string> said;
    for (const KernelSpec& spec : kernel_specs(g)) {
        try {
            if (host_kernel_source(*spec.body, spec.name).text.empty())
                said.push_back(spec.name + ": no source");
        } catch (const Error& e) {
            EXPECT_EQ(e.where(), "kernel " + spec.name);
            said.emplace_back(e.what());
        }
    }
    return said;
}

// Several tokens on the host need what that pass makes: memory for the input of products.
TEST(GraphKernels, DecodersHaveAllOfThemWithoutAnyPassButSharePrologues) {
    const uint64_t first = std::random_device{}();
    for (uint64_t seed = first; seed < first + 50; ++seed) {
        SCOPED_TRACE(testing::Message() << "seed " << seed);
        const Graph g = ingot::test::random_decoder(seed);
        EXPECT_THAT(refusals(g, {}), testing::IsEmpty());
        for (const passes::Pass& pass : passes::pipeline()) {
            if (pass.required) continue;
            SCOPED_TRACE(testing::Message() << "without " << pass.name);
            const auto said = refusals(g, {std::string(pass.name)});
            if (pass.name == "share-prologues")
                EXPECT_THAT(said, testing::Each(testing::HasSubstr("(pass share-prologues sees to that)")));
            else
                EXPECT_THAT(said, testing::IsEmpty());
        }
    }
}

TEST(GraphKernels, WildGraphsHaveThemOrAreRefused) {
    const uint64_t first = std::random_device{}();
    size_t refused = 0, graphs = 0;
    for (uint64_t seed = first; seed < first + 500; ++seed) {
        SCOPED_TRACE(testing::Message() << "seed " << seed);
        refusals(ingot::test::random_graph(seed, {.page_positions = 16}), {});
        if (!refusals(ingot::test::random_graph(seed, {.caches = false}), {}).empty()) ++refused;
        ++graphs;
    }
    // Slices at odd columns that meet are what is left, besides caches in layouts that models don't have.
    EXPECT_LT(refused, graphs / 20);
}

TEST(GraphKernels, HeadsThatAreTooSmallAreRefusedBeforeACompilerSeesThem) {
    const Graph body = attention_body(4, 2, 8, false, Rows::one);
    try {
        host_kernel_source(body, "attention");
        FAIL();
    } catch (const Error& e) {
        EXPECT_STREQ(e.what(),
                     "kernel attention: attention: host kernels need heads of at least 16 channels, not 8");
    }
}

// Two graphs of every run, on the first target that runs here: what the compiler makes of the kernels is
// right.
TEST(GraphKernels, OfRandomDecodersAreRight) {
    const uint64_t seed = std::random_device{}();
    SCOPED_TRACE(testing::Message() << "seed " << seed);
    std::vector<Graph> graphs;
    for (uint64_t i = 0; i < 2; ++i) {
        graphs.push_back(ingot::test::random_decoder(seed + i));
        passes::run_pipeline(graphs.back(), {});
    }
    std::vector<Case> cases;
    for (const Graph& g : graphs)
        for (const KernelSpec& spec : kernel_specs(g)) {
            const bool quantized = print(*spec.body).find("q8a") != std::string::npos;
            cases.push_back({.body = *spec.body,
                             .nmse = quantized ? 5e-4 : 1e-7,
                             .name = std::to_string(&g - graphs.data()) + "." + spec.name});
        }
    expect_right(cases);
}

} // namespace
} // namespace ingot::codegen::test
