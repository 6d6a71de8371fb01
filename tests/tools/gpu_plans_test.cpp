// The real model compiled for every GPU target, by every compiler, on a machine without a GPU.
#include <filesystem>
#include <map>

#include <gmock/gmock.h>
#include <nlohmann/json.hpp>

#include "tests/tools/process.h"

namespace ingot::tools::test {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;

struct GpuPlan {
    const char* target;
    const char* compiler;
    const char* build_id; // a part of the compiler's
    // Instructions that must be there, by the program that has them.
    std::multimap<std::string, const char*> instructions;
};

class GpuPlans : public Tool, public testing::WithParamInterface<GpuPlan> {
  protected:
    // Each kernel's machine code, by the programs that launch it.
    std::multimap<std::string, std::string> code_of_programs(const json& inspected,
                                                             const std::string& plan) const {
        const Ended listing = ingot({"inspect", plan, "--asm"});
        EXPECT_EQ(listing.code, 0) << listing.err;
        std::multimap<std::string, std::string> code;
        for (const json& kernel : inspected["kernels"]) {
            const std::string head = "key " + kernel["key"].get<std::string>() + "\n";
            const size_t begin = listing.out.find(head);
            EXPECT_NE(begin, std::string::npos) << head;
            if (begin == std::string::npos) continue;
            const size_t end = listing.out.find("# kernel ", begin);
            for (const json& program : kernel["programs"])
                code.emplace(program, listing.out.substr(begin, end - begin));
        }
        return code;
    }
};

TEST_P(GpuPlans, HaveNoScratchAndTheRightInstructions) {
    if (!fs::exists(INGOT_MODEL)) GTEST_SKIP() << "no model: give CMake -DINGOT_MODEL=FILE (tools/setup)";
    const GpuPlan& want = GetParam();
    const std::string plan = (folder / "plan.ingot").string();
    const Ended ended = ingot(
        {"compile", INGOT_MODEL, "--target", want.target, "--compiler", want.compiler, "-o", plan, "--json"});
    if (ended.code != 0 && ended.err.find("no compiler for it can be used") != std::string::npos &&
        !(std::string(want.compiler) == "llvm" && can_compile()))
        GTEST_SKIP() << ended.err;
    ASSERT_EQ(ended.code, 0) << ended.err;
    const json report = json::parse(ended.out);
    EXPECT_EQ(report["target"], want.target);

    const Ended inspection = ingot({"inspect", plan, "--json"});
    ASSERT_EQ(inspection.code, 0) << inspection.err;
    const json inspected = json::parse(inspection.out);
    EXPECT_EQ(inspected["target"], want.target);
    EXPECT_EQ(inspected["kernels"].size(), report["kernels"]);
    for (const json& kernel : inspected["kernels"]) {
        const json& r = kernel["resources"];
        EXPECT_EQ(r["scratch_bytes"], 0) << kernel;
        EXPECT_EQ(r["spills"], 0) << kernel;
        EXPECT_GT(r["registers"], 0) << kernel;
        EXPECT_GT(r["occupancy"]["groups"], 0) << "can't be launched: " << kernel;
        EXPECT_THAT(kernel["compiler"].get<std::string>(), testing::HasSubstr(want.build_id));
    }
    if (want.instructions.empty() || !can_compile()) return; // LLVM reads the code
    const auto code = code_of_programs(inspected, plan);
    for (const auto& [program, instruction] : want.instructions) {
        size_t kernels = 0;
        const auto [first, last] = code.equal_range(program);
        for (auto at = first; at != last; ++at)
            kernels += at->second.find(instruction) != std::string::npos;
        // The products of a layer: Q/K/V, output, gate and up, down.
        EXPECT_GE(kernels, 4u) << instruction << " in " << program;
    }
}

constexpr const char* clang = "clang version 22";

INSTANTIATE_TEST_SUITE_P(
    All, GpuPlans,
    testing::Values(
        GpuPlan{"gfx1030", "hiprtc", "hipRTC", {{"decode", "v_dot4"}, {"prefill", "v_dot2"}}},
        GpuPlan{"gfx1100",
                "llvm",
                clang,
                {{"decode", "v_dot4_i32_iu8"}, {"decode", "global_load_b128"}, {"prefill", "v_wmma"}}},
        GpuPlan{"gfx1151", "llvm", clang, {{"decode", "v_dot4_i32_iu8"}, {"prefill", "v_wmma"}}},
        GpuPlan{"gfx1201", "llvm", clang, {{"decode", "v_dot4_i32_iu8"}, {"prefill", "v_wmma"}}},
        GpuPlan{"gfx90a", "hiprtc", "hipRTC", {{"decode", "v_dot4"}, {"prefill", "v_mfma"}}},
        GpuPlan{"gfx90a", "llvm", clang, {{"decode", "v_dot4"}, {"prefill", "v_mfma"}}},
        GpuPlan{"gfx942", "llvm", clang, {{"decode", "v_dot4"}, {"prefill", "v_mfma"}}},
        GpuPlan{"gfx950", "llvm", clang, {{"decode", "v_dot4"}, {"prefill", "v_mfma_f32_16x16x32_f16"}}},
        GpuPlan{"sm_90", "nvrtc", "NVRTC", {}}),
    [](const auto& test) { return std::string(test.param.target) + "_" + test.param.compiler; });

} // namespace
} // namespace ingot::tools::test
