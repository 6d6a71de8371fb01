// Whatever passes make of a graph, each of its kernels has a source or is refused in one clear line.
#include <map>
#include <random>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "codegen/build_plan.h"
#include "codegen/host_source.h"
#include "codegen/kernel_source.h"
#include "ir/error.h"
#include "ir/print.h"
#include "passes/pipeline.h"
#include "tests/codegen/kernel_bodies.h"
#include "tests/ir/random_decoder.h"
#include "tests/ir/random_graph.h"

namespace ingot::codegen::test {
namespace {

using namespace ir;

const passes::PassContext gpu{
    .row_tiles = true, .key_octets = true, .defer_norms = true, .products_alone = true};

// What is said of kernels that have none.
std::vector<std::string> refusals(const Graph& imported, std::vector<std::string> disabled,
                                  const Target& target) {
    Graph g = imported;
    passes::run_pipeline(g, target.is_gpu() ? gpu : passes::PassContext(), {.disabled = std::move(disabled)});
    std::vector<std::string> said;
    for (const KernelSpec& spec : kernel_specs(g)) {
        try {
            if (kernel_source(target, *spec.body, spec.name).text.empty())
                said.push_back(spec.name + ": no source");
        } catch (const Error& e) {
            EXPECT_EQ(e.where(), "kernel " + spec.name);
            said.emplace_back(e.what());
        }
    }
    return said;
}

// Of a decoder: all kernels there with all passes and without any one of them, but for those that `needed`
// names, with what is said without it.
void expect_kernels(const Target& target, const std::map<std::string_view, const char*>& needed) {
    const uint64_t first = std::random_device{}();
    for (uint64_t seed = first; seed < first + 40; ++seed) {
        SCOPED_TRACE(testing::Message() << target.name << ", seed " << seed);
        const Graph g = ingot::test::random_decoder(seed);
        EXPECT_THAT(refusals(g, {}, target), testing::IsEmpty());
        for (const passes::Pass& pass : passes::pipeline()) {
            if (pass.required) continue;
            SCOPED_TRACE(testing::Message() << "without " << pass.name);
            const auto said = refusals(g, {std::string(pass.name)}, target);
            if (const auto at = needed.find(pass.name); at != needed.end())
                EXPECT_THAT(said, testing::Each(testing::HasSubstr(at->second)));
            else
                EXPECT_THAT(said, testing::IsEmpty());
        }
    }
}

TEST(GraphKernels, OfDecodersAreAllThereOnTheHost) {
    // Several tokens need memory for the input of products.
    expect_kernels(target_from_name("x86-64-v3"),
                   {{"share-prologues", "(pass share-prologues sees to that)"}});
}

TEST(GraphKernels, OfDecodersAreAllThereOnGpus) {
    for (const char* name : {"gfx1100", "gfx942", "sm_90"})
        expect_kernels(target_from_name(name), {{"defer-norms", "rms_norm"},
                                                {"quantize-activations", "(pass quantize-activations)"},
                                                {"lay-out-caches", "kv_"}});
}

TEST(GraphKernels, WildGraphsHaveThemOrAreRefused) {
    const uint64_t first = std::random_device{}();
    const Target& host = target_from_name("x86-64-v3");
    size_t refused = 0, graphs = 0;
    for (uint64_t seed = first; seed < first + 500; ++seed) {
        SCOPED_TRACE(testing::Message() << "seed " << seed);
        refusals(ingot::test::random_graph(seed, {.page_positions = 16}), {}, host);
        if (!refusals(ingot::test::random_graph(seed, {.caches = false}), {}, host).empty()) ++refused;
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
