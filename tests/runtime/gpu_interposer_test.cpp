// What goes before a driver (tests/standin/interposer.h): that it passes calls on, and tells what is left.
#include "runtime/error.h"
#include "runtime/gpu/gpu_device.h"

#include <array>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace ingot::runtime {
namespace {

using testing::AllOf;
using testing::HasSubstr;

struct Family {
    const char* device;
    const char* interposer;
    const char* driver;
};

class GpuInterposer : public testing::TestWithParam<Family> {
  protected:
    // The report of a process that does so with this library in the driver's place.
    template <class F>
    std::string report_of(const std::string& faults, const F& action) const {
        const std::string report = testing::TempDir() + "/ingot-interposer-report." + GetParam().device;
        std::filesystem::remove(report);
        const auto process = [&] {
            ::setenv("INGOT_INTERPOSER", faults.c_str(), 1);
            ::setenv("INGOT_INTERPOSER_DRIVER", GetParam().driver, 1);
            ::setenv("INGOT_INTERPOSER_REPORT", report.c_str(), 1);
            const GpuOptions options{.libraries = {GetParam().interposer}};
            action(std::string(GetParam().device) == "hip" ? open_hip_api(options) : open_cuda_api(options));
            std::exit(0);
        };
        EXPECT_EXIT(process(), testing::ExitedWithCode(0), "");
        std::stringstream text;
        text << std::ifstream(report).rdbuf();
        std::filesystem::remove(report);
        return text.str();
    }
};

TEST_P(GpuInterposer, WhatIsGivenBackIsNotLeft) {
    const std::string report = report_of("", [](const std::shared_ptr<GpuApi>& api) {
        const auto device = make_gpu_device(api);
        const auto memory = device->allocate(Pool::state, 4096);
        const auto queue = device->open_queue({});
        const std::array<std::byte, 3> there = {std::byte{1}, std::byte{2}, std::byte{3}};
        queue->write(*memory, 5, there);
        std::array<std::byte, 3> here = {};
        queue->read(*memory, 5, here);
        if (here != there) std::exit(1);
    });
    EXPECT_THAT(report, AllOf(HasSubstr(" hit=0 live=0 misuse=0\n0 "), HasSubstr("\n0 copy_to_device\n"),
                              HasSubstr("\n0 mem_free\n")));
}

TEST_P(GpuInterposer, WhatIsNotGivenBackIsNamed) {
    const std::string report = report_of("", [](const std::shared_ptr<GpuApi>& api) {
        static std::array<void*, 2> left; // known to a leak checker, which need not speak here
        left = {api->allocate(4096), api->create_event()};
    });
    EXPECT_THAT(report.substr(0, report.find('\n')),
                AllOf(HasSubstr(" live=2 misuse=0 "), HasSubstr(" memory"), HasSubstr(" event")));
}

TEST_P(GpuInterposer, ACallThatFailsIsNotPassedOnAndItsPlaceIsTold) {
    const std::string report = report_of("mem_alloc@2=719", [](const std::shared_ptr<GpuApi>& api) {
        api->release(api->allocate(4096));
        try {
            api->allocate(4096);
            std::exit(1);
        } catch (const Error& e) {
            if (e.code() != Code::device) std::exit(1);
        }
        api->release(api->allocate(4096));
    });
    std::istringstream lines(report);
    std::string line;
    std::getline(lines, line);
    EXPECT_THAT(line, HasSubstr(" live=0 misuse=0"));
    const long hit = std::stol(line.substr(line.find("hit=") + 4));
    ASSERT_GT(hit, 0);
    for (long i = 0; i < hit; ++i)
        std::getline(lines, line);
    EXPECT_EQ(line, "0 mem_alloc");
}

TEST_P(GpuInterposer, WhatIsGivenBackTwiceIsMisuse) {
    const std::string report = report_of("", [](const std::shared_ptr<GpuApi>& api) {
        const GpuApi::Handle event = api->create_event();
        api->destroy_event(event);
        api->destroy_event(event);
    });
    EXPECT_THAT(report, HasSubstr(" misuse=1 there is no such event\n"));
}

INSTANTIATE_TEST_SUITE_P(All, GpuInterposer,
                         testing::Values(Family{"hip", INGOT_STANDINS "/hip_interposer/libamdhip64.so.7",
                                                INGOT_STANDINS "/hip6/libamdhip64.so.6"},
                                         Family{"cuda", INGOT_STANDINS "/cuda_interposer/libcuda.so.1",
                                                INGOT_STANDINS "/cuda/libcuda.so.1"}),
                         [](const auto& test) { return std::string(test.param.device); });

} // namespace
} // namespace ingot::runtime
