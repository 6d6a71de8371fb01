// Text is as good as the graph: every graph of every phase reads back as it is.
#include <random>

#include <gtest/gtest.h>

#include "codegen/build_plan.h"
#include "ir/print.h"
#include "passes/pipeline.h"
#include "tests/codegen/real_model.h"
#include "tests/ir/random_decoder.h"

namespace ingot::tests {

using namespace ir;

namespace {

void expect_text_reads_back(const Graph& g) {
    const std::string text = print(g);
    const Graph back = parse(text);
    ASSERT_TRUE(back == g) << text;
    ASSERT_EQ(print(back), text);
}

// The imported graph, what each pass makes of it, and the lowered one with keys like those of kernels.
void expect_all_phases_read_back(Graph g) {
    expect_text_reads_back(g);
    for (const passes::Pass& pass : passes::pipeline()) {
        SCOPED_TRACE(pass.name);
        passes::run_passes(g, std::vector{std::string(pass.name)}, {});
        expect_text_reads_back(g);
    }
    std::vector<std::string> keys;
    for (const codegen::KernelSpec& spec : codegen::kernel_specs(g))
        keys.push_back(std::string(64, "0123456789abcdef"[keys.size() % 16]) + spec.name);
    const Graph lowered = codegen::lower(g, keys);
    ASSERT_EQ(lowered.phase, Phase::lowered);
    expect_text_reads_back(lowered);
}

} // namespace

TEST_F(RealModel, EveryGraphOfEveryPhaseReadsBack) {
    ASSERT_EQ(model_.graphs.size(), 3U);
    for (const Graph& g : model_.graphs) {
        SCOPED_TRACE(g.name);
        expect_all_phases_read_back(g);
    }
}

TEST(Text, RandomDecodersReadBackInEveryPhase) {
    const uint64_t first = std::random_device{}();
    for (uint64_t seed = first; seed < first + 200; ++seed) {
        SCOPED_TRACE(testing::Message() << "seed " << seed);
        expect_all_phases_read_back(test::random_decoder(seed));
        if (HasFatalFailure()) return;
    }
}

} // namespace ingot::tests
