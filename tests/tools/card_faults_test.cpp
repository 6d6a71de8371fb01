// tests/standin/card_faults.py, with a stand-in in place of a card's driver.
#include <filesystem>

#include <gmock/gmock.h>

#include "tests/tools/gpu_card.h"

namespace ingot::tools::test {
namespace {

namespace fs = std::filesystem;
using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

class CardFaults : public OnCard {
  protected:
    const std::string interposer =
        std::string(INGOT_BINARY_DIR "/standin/") + GetParam().device + "_interposer";

    Ended check(const std::string& command, const char* most) {
        binary = INGOT_SOURCE_DIR "/tests/standin/card_faults.py";
        return ingot({command, interposer, plan, "--device", GetParam().device, "--driver", library, "--most",
                      most, "--jobs", "2"});
    }
};

TEST_P(CardFaults, EveryFaultIsOneErrorAndEverythingIsGivenBack) {
    const Ended ended = check(INGOT_BINARY_DIR "/tools/ingot", "2");
    EXPECT_EQ(ended.code, 0) << ended.err << ended.out;
    EXPECT_EQ(ended.err, "");
    for (const char* call : {"mem_alloc", "host_alloc", "module_load", "copy_to_device", "launch",
                             "stream_synchronize", "capture_end", "graph_launch", "lost", "fault"})
        EXPECT_THAT(ended.out, HasSubstr(std::string("\n| ") + call + " ")) << ended.out;
    EXPECT_THAT(ended.out, HasSubstr(", 0 wrong\n"));
}

TEST_P(CardFaults, WhatHidesItsErrorsIsFoundOut) {
    const fs::path liar = folder / "liar";
    write_file(liar, "#!/bin/sh\n" INGOT_BINARY_DIR "/tools/ingot \"$@\" 2>/dev/null\nexit 0\n");
    fs::permissions(liar, fs::perms::owner_all);
    const Ended ended = check(liar.string(), "1");
    EXPECT_EQ(ended.code, 1) << ended.err << ended.out;
    EXPECT_THAT(ended.err, AllOf(HasSubstr("mem_alloc@1=2: exit code 0 instead of 1; 0 lines on stderr"),
                                 HasSubstr("lost@1=719: "), Not(HasSubstr("mem_free@"))));
}

// NVRTC asks the driver for more than the device does.
TEST_P(CardFaults, CompilersAreNotDisturbed) {
    environment = {"LD_LIBRARY_PATH=" + interposer, "INGOT_INTERPOSER_DRIVER=" + library};
    cache = folder / "another";
    const Ended ended = ingot({"compile", (folder / "model.gguf").string(), "--target", GetParam().target,
                               "-o", (folder / "another.ingot").string()});
    EXPECT_EQ(ended.code, 0) << ended.err;
}

INSTANTIATE_TEST_SUITE_P(All, CardFaults, testing::Values(amd, nvidia), target_of);

} // namespace
} // namespace ingot::tools::test
