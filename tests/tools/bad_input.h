// Input that a command must refuse.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include <gmock/gmock.h>

#include "tests/tools/process.h"

namespace ingot::tools::test {

class BadInput : public Tool {
  protected:
    // The commands that open a model, each with what it needs beside the file.
    std::vector<std::vector<std::string>> commands_on(const std::string& file) const {
        return {{"compile", file, "-o", (folder / "out").string()},
                {"compile", file, "--emit", "ir", "-o", (folder / "out").string()},
                {"run", file, "-p", "x", "-n", "1"},
                {"tokenize", file, "-p", "x"},
                {"inspect", file},
                {"dump", file, "-o", (folder / "out").string()},
                {"verify", file}};
    }

    // One line, exit code 2, nothing written, not even into the cache. `why` is a part of the message.
    void expect_refused(const std::vector<std::string>& args, const std::string& what,
                        const std::string& why = {}) const {
        const Ended ended = ingot(args);
        EXPECT_THAT(ended.err, testing::HasSubstr(why)) << what;
        EXPECT_TRUE(fails_with(ended, 2)) << what << ": " << testing::PrintToString(args);
        EXPECT_FALSE(std::filesystem::exists(folder / "out")) << what << ": " << testing::PrintToString(args);
        EXPECT_FALSE(std::filesystem::exists(cache)) << what << ": " << testing::PrintToString(args);
    }
};

} // namespace ingot::tools::test
