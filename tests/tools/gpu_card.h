// A card of each maker, which a stand-in for its driver shows, and a plan for it.
#pragma once

#include <string>

#include "tests/tools/model_file.h"
#include "tests/tools/process.h"

namespace ingot::tools::test {

struct Card {
    const char* device;
    const char* target;
    const char* folder; // of the stand-in
    const char* library;
    const char* other; // a card that the plan is not for
};
inline constexpr Card amd = {"hip", "gfx1100", "hip6", "libamdhip64.so.6", "gfx1030"};
inline constexpr Card nvidia = {"cuda", "sm_90", "cuda", "libcuda.so.1", "sm_80"};

class OnCard : public Tool, public testing::WithParamInterface<Card> {
  protected:
    void SetUp() override {
        Tool::SetUp();
        const std::string model = (folder / "model.gguf").string();
        write_file(model, bytes_of(tiny_model()));
        plan = (folder / "plan.ingot").string();
        const Ended ended = ingot(
            {"compile", model, "--target", GetParam().target, "--context", "128", "-o", plan, "--json"});
        if (ended.err.find("no compiler for it can be used") != std::string::npos) GTEST_SKIP() << ended.err;
        ASSERT_EQ(ended.code, 0) << ended.err;
    }

    std::string plan;
    const std::string library =
        std::string(INGOT_BINARY_DIR "/standin/") + GetParam().folder + "/" + GetParam().library;
};

inline std::string target_of(const testing::TestParamInfo<Card>& test) {
    return test.param.target;
}

} // namespace ingot::tools::test
