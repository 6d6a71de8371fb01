// A GPU's plan on stand-ins for drivers (tests/standin): what a session and the command do when something
// fails. The kernels are real code objects, which the stand-ins know by name and do not run.
#include <algorithm>
#include <array>

#include <gmock/gmock.h>
#include <nlohmann/json.hpp>

#include "runtime/gpu/gpu_device.h"
#include "runtime/session.h"
#include "tests/standin/sweep.h"
#include "tests/tools/gpu_card.h"

namespace ingot::tools::test {
namespace {

using nlohmann::json;
using runtime::Code;
using testing::AllOf;
using testing::HasSubstr;

class GpuFailures : public OnCard {
  protected:
    // `ingot run` on the plan and a card with these faults. Whatever comes, all that it took is given back.
    Ended run(const std::string& settings, std::vector<std::string> more = {},
              const Card& card = GetParam()) {
        const std::string report = (folder / "report").string();
        environment = {std::string("LD_LIBRARY_PATH=" INGOT_BINARY_DIR "/standin/") + card.folder,
                       "INGOT_STANDIN=" + settings, "INGOT_STANDIN_REPORT=" + report};
        std::vector<std::string> args = {"run", plan, "-p", "twelve bytes", "-n", "4", "--json"};
        if (std::ranges::find(more, "--device") == more.end())
            more.insert(more.end(), {"--device", card.device});
        args.insert(args.end(), more.begin(), more.end());
        const Ended ended = ingot(args);
        EXPECT_THAT(read_file(report), HasSubstr(" live=0 misuse=0\n")) << settings;
        return ended;
    }

    std::shared_ptr<runtime::Device> open() const {
        const runtime::GpuOptions options{.libraries = {library}};
        return runtime::make_gpu_device(std::string(GetParam().device) == "hip"
                                            ? runtime::open_hip_api(options)
                                            : runtime::open_cuda_api(options));
    }
};

TEST_P(GpuFailures, ARunWithoutFaultsEndsWell) {
    const Ended ended = run("");
    ASSERT_EQ(ended.code, 0) << ended.err;
    EXPECT_EQ(json::parse(ended.out)["ids"].size(), 4U);
    const Ended checked = run("", {"--check-launches"});
    EXPECT_EQ(checked.code, 0) << checked.err;
    const json devices = json::parse(ingot({"devices", "--json"}).out);
    ASSERT_EQ(devices.size(), 2U);
    EXPECT_EQ(devices[1]["name"], GetParam().device);
    EXPECT_EQ(devices[1]["target"], GetParam().target);

    // With a second card, either can be asked for; and no third.
    const std::string second = std::string(GetParam().device) + ":1";
    EXPECT_EQ(run("devices=2", {"--device", second}).code, 0);
    const json both = json::parse(ingot({"devices", "--json"}).out);
    ASSERT_EQ(both.size(), 3U);
    EXPECT_EQ(both[2]["name"], second);
    const Ended third = run("devices=2", {"--device", std::string(GetParam().device) + ":2"});
    EXPECT_TRUE(fails_with(third, 2));
    EXPECT_THAT(third.err, HasSubstr("the driver shows 2 of them"));
}

TEST_P(GpuFailures, WhatGoesWrongIsOneLineAndAnExitCode) {
    const auto line = [&](const std::string& settings, int code) {
        const Ended ended = run(settings);
        EXPECT_TRUE(fails_with(ended, code)) << settings;
        return ended.err;
    };
    for (int n = 1; n <= 4; ++n)
        EXPECT_THAT(line("mem_alloc@" + std::to_string(n), 1), HasSubstr("MiB don't fit"));
    EXPECT_THAT(line("host_alloc@1", 1), HasSubstr("pinned memory"));
    const std::string on_device = std::string(" on ") + GetParam().device + ": ";
    EXPECT_THAT(line("launch@3", 1),
                AllOf(HasSubstr("prefill, "), HasSubstr("Launch"), HasSubstr(on_device + "unknown error")));
    EXPECT_THAT(line("fault@4", 1), AllOf(HasSubstr("prefill, "), HasSubstr("StreamSynchronize" + on_device),
                                          HasSubstr("launch failure")));
    EXPECT_THAT(line("lost@200", 1), HasSubstr("unknown error"));
    EXPECT_THAT(line("module_load@2=200", 2), HasSubstr("code can't be loaded"));
    EXPECT_THAT(line("devices=0", 2), HasSubstr("there is no "));
    EXPECT_THAT(line(std::string("arch=") + GetParam().other, 2),
                AllOf(HasSubstr(GetParam().target), HasSubstr(std::string("--target ") + GetParam().other)));
}

TEST_P(GpuFailures, APlanForAnotherMakersCardIsRefused) {
    const Card& other = GetParam().device == std::string("hip") ? nvidia : amd;
    const Ended ended = run("", {}, other);
    EXPECT_TRUE(fails_with(ended, 2));
    EXPECT_THAT(ended.err, AllOf(HasSubstr(std::string("error: ") + other.device + ": the plan is for " +
                                           GetParam().target),
                                 HasSubstr(std::string("--target ") + other.target)));
}

TEST_P(GpuFailures, EveryCallThatFailsIsOneErrorAndEverythingIsGivenBack) {
    const standin::Control driver(library);
    const auto file = runtime::PlanFile::open(plan);
    const auto use = [&](const std::function<void()>& done) {
        const auto session = runtime::Session::open(file, open());
        const std::array<std::int32_t, 12> prompt = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12};
        const runtime::SequenceId a = session->create_sequence();
        session->prefill(a, prompt);
        const runtime::SequenceId b = session->fork(a); // its next token copies a page
        for (int i = 0; i < 2; ++i) {
            session->decode(a, 1);
            session->decode(std::array{runtime::Step{a, 2}, runtime::Step{b, 3}});
        }
        session->logits(1);
        done();
    };
    const std::set<Code> any = {Code::unsupported, Code::device, Code::out_of_memory, Code::bad_file};
    EXPECT_GE(standin::sweep(driver, "mem_alloc", {Code::out_of_memory}, use), 4);
    EXPECT_GE(standin::sweep(driver, "host_alloc", {Code::out_of_memory}, use), 3);
    EXPECT_GE(standin::sweep(driver, "launch", {Code::device}, use), 60);
    EXPECT_GE(standin::sweep(driver, "fault", {Code::device}, use), 60);
    EXPECT_GE(standin::sweep(driver, "any", any, use), 200);
    EXPECT_GE(standin::sweep(driver, "lost", any, use), 200);
}

TEST_P(GpuFailures, AStepThatFailsLeavesItsSequenceAsItWas) {
    const standin::Control driver(library);
    const auto session = runtime::Session::open(runtime::PlanFile::open(plan), open());
    const runtime::SequenceId a = session->create_sequence();
    session->prefill(a, std::array{1, 2, 3});
    session->decode(a, 4);
    const long launches = driver.count("launch");
    // Its graph is recorded now: a launch within the recording fails, and the graph is none.
    driver.configure("launch@3");
    EXPECT_THROW(session->decode(a, 5), runtime::Error);
    EXPECT_EQ(session->length(a), 4U);
    session->decode(a, 5);
    EXPECT_EQ(session->length(a), 5U);
    EXPECT_GT(launches, 0);
    EXPECT_EQ(driver.misuse(), "");
}

INSTANTIATE_TEST_SUITE_P(All, GpuFailures, testing::Values(amd, nvidia), target_of);

} // namespace
} // namespace ingot::tools::test
