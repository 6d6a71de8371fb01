// tools/gpu_check, on the host in place of a card.
#include <gmock/gmock.h>
#include <nlohmann/json.hpp>

#include "tests/tools/process.h"

namespace ingot::tools::test {
namespace {

using nlohmann::json;
using testing::HasSubstr;

class GpuCheck : public Tool {
  protected:
    void SetUp() override {
        Tool::SetUp();
        binary = INGOT_SOURCE_DIR "/tools/gpu_check";
    }
    Ended check(std::vector<std::string> args) const {
        args.insert(args.begin(), INGOT_BINARY_DIR "/tools/ingot");
        args.insert(args.end(), {"--work", folder.string()});
        return ingot(args);
    }
};

TEST_F(GpuCheck, SaysThatAllIsRightAndHowFast) {
    if (!can_compile()) GTEST_SKIP() << "no compiler for the host";
    const Ended ended =
        check({"--device", "host", "--quick", "--models", "one,k288", "--formats", "Q4_0,BF16", "--json"});
    ASSERT_EQ(ended.code, 0) << ended.err;
    const json report = json::parse(ended.out);
    EXPECT_EQ(report["judge"], "host");
    EXPECT_TRUE(report["failures"].empty());
    ASSERT_EQ(report["correctness"].size(), 4U);
    for (const json& model : report["correctness"]) {
        EXPECT_GT(model["verify"]["checks"], 20);
        EXPECT_EQ(model["logits"].size(), 3U);
    }
    EXPECT_THAT(report["machine"]["device"].get<std::string>(), HasSubstr("target x86-64-v"));
}

TEST_F(GpuCheck, MarkdownNamesWhatFailed) {
    if (!can_compile()) GTEST_SKIP() << "no compiler for the host";
    // The stand-in's kernels compute nothing, so everything is wrong on it.
    environment = {"LD_LIBRARY_PATH=" INGOT_BINARY_DIR "/standin/hip6"};
    const Ended ended =
        check({"--device", "hip", "--parts", "right", "--models", "one", "--formats", "Q8_0"});
    EXPECT_EQ(ended.code, 1) << ended.err;
    EXPECT_THAT(ended.out, HasSubstr("- one Q8_0: kernel "));
    EXPECT_THAT(ended.out,
                HasSubstr("- one Q8_0: logits of 40 positions: NMSE 1.00e+00 from host's is over"));
    EXPECT_THAT(ended.out, HasSubstr("| one | Q8_0 |"));
    EXPECT_THAT(ended.out, HasSubstr("FAILED"));
}

TEST_F(GpuCheck, WithoutADeviceItSaysWhatIsMissing) {
    const Ended ended = check({"--device", "toaster"});
    EXPECT_EQ(ended.code, 2);
    EXPECT_EQ(ended.out, "");
    EXPECT_THAT(ended.err, HasSubstr("toaster: no such device"));
    EXPECT_EQ(check({"--models", "7b"}).code, 2);
}

} // namespace
} // namespace ingot::tools::test
