// The kernels that measure a card, compiled for every target and launched on a stand-in, which does not run
// them.
#include <gmock/gmock.h>

#include "ir/error.h"
#include "runtime/gpu/gpu_device.h"
#include "tests/standin/control.h"
#include "tests/tools/process.h"
#include "tools/bench/gpu_limits.h"

namespace ingot::tools::test {
namespace {

std::vector<const codegen::Target*> gpu_targets() {
    std::vector<const codegen::Target*> targets;
    for (const codegen::Target& target : codegen::all_targets())
        if (target.is_gpu()) targets.push_back(&target);
    return targets;
}

class GpuLimits : public testing::TestWithParam<const codegen::Target*> {};

TEST_P(GpuLimits, TheKernelsCompileAndAreLaunched) {
    const codegen::Target& target = *GetParam();
    const bool nvidia = target.machine == codegen::Machine::nvptx;
    const std::string library =
        INGOT_BINARY_DIR "/standin/" + std::string(nvidia ? "cuda/libcuda.so.1" : "hip6/libamdhip64.so.6");
    const standin::Control driver(library);
    driver.configure("arch=" + std::string(target.name) +
                     " shared=" + std::to_string(target.gpu->group_memory));
    {
        std::optional<codegen::KernelCompiler> compiler;
        try {
            compiler.emplace(target,
                             codegen::CompilerOptions{.worker = {.folder = INGOT_BINARY_DIR "/tools"}});
        } catch (const ir::Error& e) {
            GTEST_SKIP() << e.what();
        }
        const runtime::GpuOptions options{.libraries = {library}};
        const auto device = runtime::make_gpu_device(nvidia ? runtime::open_cuda_api(options)
                                                            : runtime::open_hip_api(options));
        const MachineLimits limits = measure_gpu(*device, *compiler);
        EXPECT_GT(limits.read_bytes_per_second, 0);
        EXPECT_EQ(limits.ops_per_second, 0) << "the stand-in computes nothing";
        EXPECT_THAT(limits.instructions, testing::HasSubstr("f16"));
        EXPECT_GE(driver.count("kernels"), 40);
        // A full card is measured with what is left.
        driver.configure("arch=" + std::string(target.name) + " memory=300000000 shared=163840");
        EXPECT_GT(measure_gpu(*device, *compiler).read_bytes_per_second, 0);
    }
    EXPECT_EQ(driver.count("live"), 0);
    EXPECT_EQ(driver.misuse(), "");
}

INSTANTIATE_TEST_SUITE_P(All, GpuLimits, testing::ValuesIn(gpu_targets()),
                         [](const auto& test) { return std::string(test.param->name); });

} // namespace
} // namespace ingot::tools::test
