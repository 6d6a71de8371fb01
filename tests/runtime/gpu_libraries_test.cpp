// Which drivers are taken, and what is said of the others.
#include "runtime/error.h"
#include "runtime/gpu/gpu_device.h"
#include "tests/standin/control.h"

#include <filesystem>
#include <fstream>

#include <dlfcn.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace ingot::runtime {
namespace {

using testing::AllOf;
using testing::HasSubstr;

std::string hip(int version) {
    return INGOT_STANDINS "/hip" + std::to_string(version) + "/libamdhip64.so." + std::to_string(version);
}
const std::string cuda = INGOT_STANDINS "/cuda/libcuda.so.1";

using Open = std::shared_ptr<GpuApi> (*)(GpuOptions);

// The words for a device that can't be had.
std::string refusal(Open open, const std::vector<std::string>& libraries) {
    try {
        open({.libraries = libraries});
    } catch (const Error& e) {
        EXPECT_EQ(e.code(), Code::unsupported);
        EXPECT_EQ(e.where(), open == open_hip_api ? "hip" : "cuda");
        EXPECT_EQ(std::string(e.what()).find('\n'), std::string::npos);
        return e.what();
    }
    ADD_FAILURE() << "no error";
    return {};
}

std::string refusal(const std::string& path, const std::string& settings) {
    const standin::Control driver(path);
    driver.configure(settings);
    const std::string words = refusal(path == cuda ? open_cuda_api : open_hip_api, {path});
    EXPECT_EQ(driver.count("live"), 0);
    return words;
}

GpuFacts facts(const std::string& path, const std::string& settings) {
    const standin::Control driver(path);
    driver.configure(settings);
    const GpuFacts facts = (path == cuda ? open_cuda_api : open_hip_api)({.libraries = {path}})->facts();
    EXPECT_EQ(driver.count("live"), 0);
    EXPECT_EQ(driver.misuse(), "");
    return facts;
}

TEST(GpuLibraries, TheFirstThatIsThereIsTaken) {
    const standin::Control driver(hip(6));
    driver.configure("arch=gfx1151");
    EXPECT_EQ(open_hip_api({.libraries = {"libamdhip64.so.99", hip(6), hip(7)}})->facts().target, "gfx1151");
}

TEST(GpuLibraries, OneThatIsMissingSaysWhatToInstall) {
    EXPECT_THAT(refusal(open_hip_api, {"libamdhip64.so.98", "libamdhip64.so.99"}),
                AllOf(HasSubstr("there is no libamdhip64.so.98 or libamdhip64.so.99"),
                      HasSubstr("libamdhip64-5"), HasSubstr("hip-runtime-amd")));
    EXPECT_THAT(refusal(open_cuda_api, {"libcuda.so.99"}), HasSubstr("install NVIDIA's driver"));
}

TEST(GpuLibraries, OneThatIsBrokenIsNamed) {
    std::string folder = testing::TempDir() + "/ingot-library-XXXXXX";
    ASSERT_NE(mkdtemp(folder.data()), nullptr);
    const std::string broken = folder + "/libamdhip64.so.7";
    std::ofstream(broken) << "this was an update";
    for (const Open open : {open_hip_api, open_cuda_api})
        EXPECT_THAT(refusal(open, {broken, "libamdhip64.so.99"}),
                    AllOf(HasSubstr(broken), HasSubstr("does not load")));
    // An empty one is named too, and what is intact behind it is taken.
    std::ofstream(broken, std::ios::trunc).close();
    EXPECT_THAT(refusal(open_hip_api, {broken}), HasSubstr(broken));
    const standin::Control driver(hip(5));
    EXPECT_EQ(open_hip_api({.libraries = {broken, hip(5)}})->facts().target, "gfx1100");
    std::filesystem::remove_all(folder);
}

TEST(GpuLibraries, OneThatLacksAFunctionIsNamedWithIt) {
    EXPECT_THAT(refusal(open_hip_api, {INGOT_STANDINS "/hip_incomplete/libamdhip64.so.6"}),
                AllOf(HasSubstr("hip_incomplete/libamdhip64.so.6 lacks hipModuleLaunchKernel"),
                      HasSubstr("ROCm 5.2 or later")));
    EXPECT_THAT(refusal(open_cuda_api, {INGOT_STANDINS "/cuda_incomplete/libcuda.so.1"}),
                AllOf(HasSubstr("lacks cuLaunchKernelEx"), HasSubstr("CUDA 12.3 or later")));
}

TEST(GpuLibraries, VersionsOfHipThatAreNotKnownAreRefused) {
    EXPECT_THAT(refusal(hip(5), "version=40321145"), HasSubstr("this is HIP 4.3, and HIP 5 to 7 are known"));
    EXPECT_THAT(refusal(hip(7), "version=80000000"), HasSubstr("this is HIP 8.0"));
    EXPECT_THAT(refusal(hip(7), "version@1"), HasSubstr("unknown error"));
}

TEST(GpuLibraries, AMachineWithoutACardIsSaidToHaveNone) {
    for (const int version : {5, 6, 7}) {
        EXPECT_THAT(refusal(hip(version), "devices=0"), HasSubstr("no AMD card"));
        EXPECT_THAT(refusal(hip(version), "init@1=100"), HasSubstr("no AMD card"));
        EXPECT_THAT(refusal(hip(version), "init@1=101"), HasSubstr("no AMD card")) << "as 5.2.3 does";
    }
    EXPECT_THAT(refusal(hip(6), "init@1=3"), HasSubstr("does not start"));
    for (const char* none : {"devices=0", "init@1=100", "device_count@1=100"})
        EXPECT_THAT(refusal(cuda, none), HasSubstr("no NVIDIA card"));
    EXPECT_THAT(refusal(cuda, "device_count@1"), HasSubstr("does not start: unknown error (error 999)"));
    EXPECT_THAT(refusal(cuda, "init@1=803"), HasSubstr("does not start"));
}

TEST(GpuLibraries, FactsAreTheSameWhateverTheVersion) {
    for (const int version : {5, 6, 7}) {
        const GpuFacts f = facts(hip(version), "memory=17163091968");
        EXPECT_EQ(f.name, "Stand-in");
        EXPECT_EQ(f.target, "gfx1100");
        EXPECT_EQ(f.units, 48U);
        EXPECT_EQ(f.memory_bytes, 17163091968U);
        EXPECT_EQ(f.threads_per_group, 1024U);
        EXPECT_EQ(f.shared_bytes_per_group, 65536U);
        EXPECT_EQ(f.most_groups[0], UINT32_MAX / 1024) << "HIP counts threads";
        for (const char* arch : {"gfx1030", "gfx1151", "gfx1201", "gfx90a", "gfx942", "gfx950"})
            EXPECT_EQ(facts(hip(version), std::string("arch=") + arch).target, arch);
    }
    EXPECT_EQ(facts(cuda, "").target, "sm_90");
    EXPECT_EQ(facts(cuda, "arch=sm_120").target, "sm_120");
    EXPECT_EQ(facts(cuda, "").shared_bytes_per_group, 232448U);
}

TEST(GpuLibraries, EachCardHasItsName) {
    for (const std::string& path : {hip(6), cuda}) {
        const standin::Control driver(path);
        driver.configure("devices=3");
        const Open open = path == cuda ? open_cuda_api : open_hip_api;
        const std::string name = path == cuda ? "cuda" : "hip";
        EXPECT_EQ(open({.libraries = {path}})->facts().device, name);
        EXPECT_EQ(open({.index = 2, .libraries = {path}})->facts().device, name + ":2");
        try {
            open({.index = 3, .libraries = {path}});
            FAIL();
        } catch (const Error& e) {
            EXPECT_EQ(e.code(), Code::unsupported);
            EXPECT_EQ(e.where(), name + ":3");
            EXPECT_THAT(e.what(), HasSubstr("the driver shows 3 of them"));
        }
        EXPECT_EQ(driver.count("live"), 0);
        EXPECT_EQ(driver.misuse(), "");
    }
}

TEST(GpuLibraries, AnArchitectureIsNeverGuessed) {
    EXPECT_THAT(refusal(hip(6), "arch=gfx1100 named=gfx90a"), HasSubstr("can't be told"))
        << "attributes say 11.0";
    EXPECT_THAT(refusal(hip(6), "arch=gfx1100 named=Navi31"), HasSubstr("can't be told"));
    EXPECT_THAT(refusal(hip(6), "arch=gfx1100 wave=64"), HasSubstr("waves of gfx1100 have 64 lanes"));
    EXPECT_THAT(refusal(hip(6), "arch=gfx90a wave=32"), HasSubstr("waves of gfx90a have 32 lanes"));
}

TEST(GpuLibraries, APlanForAnotherCardIsRefused) {
    const standin::Control driver(hip(6));
    driver.configure("arch=gfx1030");
    const auto device = make_gpu_device(open_hip_api({.libraries = {hip(6)}}));
    try {
        device->check_target("gfx1100", gpu_abi_version);
        FAIL();
    } catch (const Error& e) {
        EXPECT_EQ(e.code(), Code::target);
        EXPECT_THAT(e.what(), AllOf(HasSubstr("gfx1100"), HasSubstr("--target gfx1030")));
    }
}

// The stand-ins take their names from where the devices have them, so these are compared with the vendors'
// own.
void has_all_names(const char* library, const std::vector<const char*>& names) {
    void* const real = ::dlopen(library, RTLD_LAZY | RTLD_LOCAL | RTLD_NODELETE);
    if (real == nullptr) GTEST_SKIP() << "not installed: " << library;
    for (const char* name : names)
        EXPECT_NE(::dlsym(real, name), nullptr) << name;
}

TEST(GpuLibraries, TheNamesAreThoseOfTheRealHip) {
    has_all_names("libamdhip64.so.5", {
                                          "hipGetErrorString",
                                          "hipRuntimeGetVersion",
                                          "hipSetDevice",
                                          "hipModuleLaunchKernel",
                                          "hipGetDeviceProperties",
#define CALL(name, parameters, nvidia, amd) amd,
#include "runtime/gpu/driver_calls.def"
#undef CALL
                                      });
}

TEST(GpuLibraries, TheNamesAreThoseOfTheRealCuda) {
    has_all_names("/usr/local/cuda/lib64/stubs/libcuda.so", {
                                                                "cuGetErrorString",
                                                                "cuDevicePrimaryCtxRetain",
                                                                "cuDevicePrimaryCtxRelease_v2",
                                                                "cuCtxSetCurrent",
                                                                "cuFuncSetAttribute",
                                                                "cuLaunchKernelEx",
#define CALL(name, parameters, nvidia, amd) nvidia,
#include "runtime/gpu/driver_calls.def"
#undef CALL
                                                            });
}

} // namespace
} // namespace ingot::runtime
