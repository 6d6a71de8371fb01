// Runs the built `ingot` as a process.
#pragma once

#include <chrono>
#include <filesystem>
#include <optional>
#include <string>
#include <sys/types.h>
#include <vector>

#include <gtest/gtest.h>

namespace ingot::tools::test {

struct Ended {
    int code = -1; // exit code, or minus the signal
    std::string out, err;
};

// A test with a folder of its own, in which its processes keep their cache too.
class Tool : public testing::Test {
  protected:
    void SetUp() override;
    void TearDown() override;

    // Runs `ingot ARGS` to its end. Standard output goes to `out_path` where that is given.
    Ended ingot(const std::vector<std::string>& args, const std::string& input = {},
                const std::string& out_path = {}) const;
    // Starts it; the process is the caller's to wait for.
    pid_t start(const std::vector<std::string>& args) const;

    std::filesystem::path folder, cache;
    std::vector<std::string> environment; // NAME=VALUE, beside what every process gets
    std::string binary = INGOT_BINARY_DIR "/tools/ingot";
};

int exit_code(int wait_status);
std::string read_file(const std::filesystem::path& path);
void write_file(const std::filesystem::path& path, std::string_view bytes);

// One clear line on stderr, and nothing on stdout.
testing::AssertionResult fails_with(const Ended& ended, int code);

// This build has no compile worker, or the machine no target.
bool can_compile();

} // namespace ingot::tools::test
