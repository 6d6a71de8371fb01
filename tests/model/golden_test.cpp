// The real model, compiled and run by a session, against what llama.cpp computes for it in f32.
#include "compiled_model.h"
#include "golden.h"

#include "codegen/targets.h"
#include "runtime/open_device.h"
#include "runtime/session.h"

#include <filesystem>

#include <gtest/gtest.h>

namespace ingot::tests {
namespace {

class GoldenModel : public testing::TestWithParam<std::string> {
  protected:
    void SetUp() override {
        if (!std::filesystem::exists(INGOT_MODEL))
            GTEST_SKIP() << "no model: give CMake -DINGOT_MODEL=FILE (tools/setup)";
        if (!has_golden()) GTEST_SKIP() << "no shared/data/smollm2 beside the checkout";
        if (!codegen::machine_runs(codegen::target_from_name(GetParam())))
            GTEST_SKIP() << "this machine does not run " << GetParam();
    }

    static std::unique_ptr<runtime::Session> open(bool f32) {
        return runtime::Session::open(
            compile_model(INGOT_MODEL, {.f32 = f32, .target = GetParam(), .import = {.context = 512}}),
            runtime::open_device("host"), {.queue = {.threads = 2}});
    }
};

TEST_P(GoldenModel, InF32LogitsAndGreedyIdsAreThePeers) {
    const Golden golden = read_golden();
    const auto session = open(true);
    for (const GoldenPrompt& p : golden.prompts) {
        SCOPED_TRACE(p.name);
        const runtime::SequenceId sequence = session->create_sequence();
        session->prefill(sequence, p.prompt_ids);
        const auto logits = session->logits();
        EXPECT_LE(nmse({logits.begin(), logits.end()}, p.first_logits), 1e-6);
        for (size_t i = 0; i < p.greedy_ids.size(); ++i) {
            ASSERT_EQ(session->next(), p.greedy_ids[i]) << "at " << i << ", margin " << p.margin[i];
            if (i + 1 < p.greedy_ids.size()) session->decode(sequence, p.greedy_ids[i]);
        }
        session->free_sequence(sequence);
    }
}

// Fed with the peer's ids, so that one choice between near equals does not decide all that follow.
TEST_P(GoldenModel, AsUsersRunItTheBestTokenIsTheSameWhereItIsClear) {
    const Golden golden = read_golden();
    const auto session = open(false);
    size_t clear = 0;
    for (const GoldenPrompt& p : golden.prompts) {
        SCOPED_TRACE(p.name);
        const runtime::SequenceId sequence = session->create_sequence();
        session->prefill(sequence, p.prompt_ids);
        for (size_t i = 0; i < p.greedy_ids.size(); ++i) {
            if (p.margin[i] >= 0.6) {
                ++clear;
                EXPECT_EQ(session->next(), p.greedy_ids[i]) << "at " << i << ", margin " << p.margin[i];
            }
            if (i + 1 < p.greedy_ids.size()) session->decode(sequence, p.greedy_ids[i]);
        }
        session->free_sequence(sequence);
    }
    EXPECT_GT(clear, 200U);
}

INSTANTIATE_TEST_SUITE_P(Targets, GoldenModel, testing::Values("x86-64-v3", "x86-64-v4"),
                         [](const auto& p) { return p.param == "x86-64-v3" ? "v3" : "v4"; });

} // namespace
} // namespace ingot::tests
