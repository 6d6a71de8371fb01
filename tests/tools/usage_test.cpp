// Help, version, and what happens when ingot is used wrongly.
#include <sstream>

#include <gmock/gmock.h>

#include "tests/tools/process.h"

namespace ingot::tools::test {
namespace {

using testing::HasSubstr;

// The words of "Subcommands:" in a help text.
std::vector<std::string> subcommands(const std::string& help) {
    std::vector<std::string> out;
    std::istringstream lines(help.substr(std::min(help.find("\nSubcommands:"), help.size())));
    std::string line;
    std::getline(lines, line);
    std::getline(lines, line);
    while (std::getline(lines, line) && line.starts_with("  ")) {
        std::istringstream words(line);
        std::string name;
        if (line[2] != ' ' && words >> name) out.push_back(name);
    }
    return out;
}

TEST_F(Tool, HelpOfEachCommandTeaches) {
    const Ended all = ingot({"--help"});
    EXPECT_EQ(all.code, 0);
    EXPECT_EQ(all.err, "");
    const std::vector<std::string> commands = subcommands(all.out);
    for (const char* known : {"compile", "run", "tokenize", "inspect", "dump", "opt", "verify", "cache",
                              "devices", "completion", "eval", "bench", "pack"})
        EXPECT_THAT(commands, testing::Contains(known));
    for (const std::string& command : commands) {
        const Ended help = ingot({command, "--help"});
        EXPECT_EQ(help.code, 0) << command;
        EXPECT_THAT(help.out, HasSubstr("Usage: ingot " + command)) << command;
        EXPECT_THAT(help.out, HasSubstr("Example")) << command;
        EXPECT_THAT(help.out, HasSubstr("  ingot " + command)) << command;
        EXPECT_EQ(help.err, "") << command;
    }
}

TEST_F(Tool, VersionNamesBuildAndCompiler) {
    const Ended version = ingot({"--version"});
    EXPECT_EQ(version.code, 0);
    EXPECT_THAT(version.out,
                testing::MatchesRegex("ingot [0-9.]+\nbuild [0-9a-f]{12}\nllvm .*\nhiprtc .*\nnvrtc .*\n"));
    if (can_compile()) {
        EXPECT_THAT(version.out, HasSubstr("clang version 22"));
    }
}

TEST_F(Tool, WrongUsageIsOneLineAndTwo) {
    const std::vector<std::vector<std::string>> wrong = {
        {},
        {"compil"},
        {"--verbose"},
        {"compile"},
        {"compile", "a", "b"},
        {"compile", "a", "--context", "x"},
        {"compile", "a", "--context", "-1"},
        {"compile", "a", "--weights", "inside"},
        {"compile", "a", "--precision", "f8"},
        {"compile", "a", "--emit", "exe"},
        {"compile", "a", "-o"},
        {"run", "a"},
        {"run", "a", "-p", "x", "-f", "y"},
        {"run", "a", "-p", "x", "-n", "0"},
        {"run", "a", "-p", "x", "--temp", "hot"},
        {"run", "a", "-p", "x", "--threads", "0"},
        {"tokenize", "a"},
        {"dump", "a", "--format", "png"},
        {"opt"},
        {"verify", "a", "--sizes", "0"},
        {"cache"},
        {"cache", "lost"},
        {"completion"},
        {"completion", "tcsh"},
        {"devices", "extra"},
    };
    for (const std::vector<std::string>& args : wrong)
        EXPECT_TRUE(fails_with(ingot(args), 2)) << testing::PrintToString(args);
}

// CLI11 wraps these in some types, and reports them by the limits of a double in others.
TEST_F(Tool, CountsSayWhichNumbersTheyTake) {
    const std::vector<std::vector<std::string>> wrong = {
        {"compile", "a", "--context", "-1"},
        {"run", "a", "-p", "x", "-n", "99999999999999999999"},
        {"run", "a", "-p", "x", "--threads", "+2"},
        {"run", "a", "-p", "x", "--seed", "-5"},
        {"verify", "a", "--seed", "-5"},
        {"bench", "a", "-p", "8,-1"},
        {"bench", "a", "-s", "0"},
        {"verify", "a", "--sizes", "3,x"},
        {"eval", "a", "--file", "b", "--ctx", "1.5"}};
    for (const std::vector<std::string>& args : wrong) {
        const Ended ended = ingot(args);
        EXPECT_TRUE(fails_with(ended, 2)) << testing::PrintToString(args);
        EXPECT_THAT(ended.err, HasSubstr("is not a whole number from")) << testing::PrintToString(args);
    }
}

TEST_F(Tool, WhatCannotBeWrittenIsAFailure) {
    for (const std::vector<std::string>& args :
         {std::vector<std::string>{"devices"}, {"opt", "--list"}, {"completion", "bash"}, {"--help"}}) {
        const Ended ended = ingot(args, "", "/dev/full");
        EXPECT_TRUE(fails_with(ended, 1)) << testing::PrintToString(args);
        EXPECT_THAT(ended.err, HasSubstr("No space left"));
    }
}

TEST_F(Tool, CompletionKnowsCommandsAndOptions) {
    const Ended script = ingot({"completion", "bash"});
    ASSERT_EQ(script.code, 0);
    write_file(folder / "completion", script.out);
    const auto complete = [&](const std::string& words) {
        const std::string command = "bash -c 'source " + (folder / "completion").string() + "; COMP_WORDS=(" +
                                    words + " \"\"); COMP_WORDS[-1]=$WORD" +
                                    "; COMP_CWORD=$((${#COMP_WORDS[@]} - 1)); _ingot; echo ${COMPREPLY[@]}'";
        std::string out;
        std::FILE* const pipe = popen(command.c_str(), "r");
        for (int c = 0; pipe != nullptr && (c = std::fgetc(pipe)) != EOF;)
            out += static_cast<char>(c);
        EXPECT_EQ(pipe == nullptr ? -1 : pclose(pipe), 0);
        return out;
    };
    setenv("WORD", "comp", 1);
    EXPECT_EQ(complete("ingot"), "compile completion\n");
    setenv("WORD", "--time", 1);
    EXPECT_EQ(complete("ingot compile m.gguf"), "--time-passes\n");
    setenv("WORD", "", 1);
    EXPECT_THAT(complete("ingot cache"), testing::StartsWith("list clear path"));
    for (const char* shell : {"zsh", "fish"}) {
        const Ended other = ingot({"completion", shell});
        EXPECT_EQ(other.code, 0);
        EXPECT_THAT(other.out, HasSubstr("tokenize"));
        EXPECT_THAT(other.out, HasSubstr("repeat-penalty"));
    }
}

} // namespace
} // namespace ingot::tools::test
