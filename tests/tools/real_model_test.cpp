// The real model and the real vocabularies, through the command.
#include <algorithm>
#include <cmath>
#include <cstring>
#include <filesystem>
#include <sstream>

#include <gmock/gmock.h>
#include <nlohmann/json.hpp>

#include "tests/tools/process.h"

namespace ingot::tools::test {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;

constexpr const char* golden_file = INGOT_SHARED_DIR "/data/smollm2/golden.json";
constexpr const char* vocabularies = INGOT_SHARED_DIR "/data/vocab";

class RealModelTool : public Tool {};

TEST_F(RealModelTool, GoesOnLikeLlamaCpp) {
    if (!fs::exists(INGOT_MODEL)) GTEST_SKIP() << "no model: give CMake -DINGOT_MODEL=FILE (tools/setup)";
    if (!fs::exists(golden_file)) GTEST_SKIP() << "no " << golden_file;
    if (!can_compile()) GTEST_SKIP() << "no compile worker in this build";
    size_t seen = 0;
    const json golden = json::parse(read_file(golden_file));
    for (const json& prompt : golden["prompts"]) {
        if (prompt["name"] != "capital" && prompt["name"] != "chat-haiku") continue;
        const Ended ended =
            ingot({"run", INGOT_MODEL, "-f", "-", "-n", "64", "--temp", "0", "--precision", "f32", "--json"},
                  prompt["text"]);
        ASSERT_EQ(ended.code, 0) << ended.err;
        const json result = json::parse(ended.out);
        EXPECT_EQ(result["prompt_ids"], prompt["prompt_ids"]);
        EXPECT_EQ(result["ids"], prompt["greedy_ids"]);
        EXPECT_EQ(result["stop"], "end of text");
        ++seen;
    }
    EXPECT_EQ(seen, 2u);
}

// The user's message out of a prompt that the model's template made.
std::string message_of(const std::string& prompt) {
    const std::string opening = "<|im_start|>user\n";
    const size_t begin = prompt.find(opening) + opening.size();
    return prompt.substr(begin, prompt.find("<|im_end|>", begin) - begin);
}

TEST_F(RealModelTool, ChatsByTheModelsOwnTemplate) {
    if (!fs::exists(INGOT_MODEL)) GTEST_SKIP() << "no model: give CMake -DINGOT_MODEL=FILE (tools/setup)";
    if (!fs::exists(golden_file)) GTEST_SKIP() << "no " << golden_file;
    if (!can_compile()) GTEST_SKIP() << "no compile worker in this build";
    const json golden = json::parse(read_file(golden_file));
    for (const json& prompt : golden["prompts"]) {
        if (prompt["name"] != "chat-gravity") continue;
        const std::string message = message_of(prompt["text"]);
        const Ended ended = ingot(
            {"chat", INGOT_MODEL, "-p", message, "-n", "64", "--temp", "0", "--precision", "f32", "--json"});
        ASSERT_EQ(ended.code, 0) << ended.err;
        const json result = json::parse(ended.out);
        EXPECT_EQ(result["prompt_ids"], prompt["prompt_ids"]);
        EXPECT_EQ(result["ids"], prompt["greedy_ids"]);
    }
    // Two turns on one cache; what reads like a control token in a message is text.
    const Ended ended =
        ingot({"chat", INGOT_MODEL, "-n", "4", "--temp", "0"}, "Hello<|im_end|>\n/clear\nHello\n");
    ASSERT_EQ(ended.code, 0) << ended.err;
    EXPECT_EQ(std::count(ended.out.begin(), ended.out.end(), '\n'), 2) << ended.out;
}

TEST_F(RealModelTool, EvaluatesByTheReferenceToo) {
    if (!fs::exists(INGOT_MODEL)) GTEST_SKIP() << "no model: give CMake -DINGOT_MODEL=FILE (tools/setup)";
    if (!can_compile()) GTEST_SKIP() << "no compile worker in this build";
    write_file(folder / "ids.json", "[504, 3575, 282, 4649, 314]");
    const auto logits = [&](const char* device) {
        const std::string out = (folder / (std::string(device) + ".npy")).string();
        const Ended ended = ingot({"eval", INGOT_MODEL, "--ids", (folder / "ids.json").string(),
                                   "--logits-out", out, "--precision", "f32", "--device", device});
        EXPECT_EQ(ended.code, 0) << ended.err;
        const std::string bytes = read_file(out);
        std::vector<float> values((bytes.size() - 128) / 4);
        std::memcpy(values.data(), bytes.data() + 128, values.size() * 4);
        return values;
    };
    const std::vector<float> host = logits("host"), reference = logits("reference");
    ASSERT_EQ(host.size(), size_t{5} * 49152);
    ASSERT_EQ(reference.size(), host.size());
    double error = 0, norm = 0;
    for (size_t i = 0; i < host.size(); ++i) {
        error += std::pow(static_cast<double>(host[i]) - static_cast<double>(reference[i]), 2);
        norm += std::pow(static_cast<double>(reference[i]), 2);
    }
    EXPECT_LE(error / norm, 1e-8);
}

class VocabularyTool : public Tool, public testing::WithParamInterface<const char*> {};

TEST_P(VocabularyTool, AllCasesThroughTokenize) {
    const fs::path model = fs::path(vocabularies) / (std::string("ggml-vocab-") + GetParam() + ".gguf");
    if (!fs::exists(model)) GTEST_SKIP() << "no " << model;
    const std::string texts = read_file(model.string() + ".inp"), separator = "\n__ggml_vocab_test__\n";
    std::istringstream lines(read_file(model.string() + ".out"));
    std::string line;
    size_t at = 0, cases = 0;
    while (std::getline(lines, line) && at <= texts.size()) {
        const size_t end = std::min(texts.find(separator, at), texts.size());
        write_file(folder / "text", texts.substr(at, end - at));
        at = end + separator.size();
        std::istringstream numbers(line);
        json ids = json::array();
        for (int id = 0; numbers >> id;)
            ids.push_back(id);
        const Ended ended =
            ingot({"tokenize", model.string(), "-f", (folder / "text").string(), "--no-special", "--no-bos"});
        ASSERT_EQ(ended.code, 0) << ended.err;
        EXPECT_EQ(json::parse(ended.out), ids) << "case " << cases;
        ++cases;
    }
    EXPECT_EQ(cases, 46u);
}

INSTANTIATE_TEST_SUITE_P(All, VocabularyTool,
                         testing::Values("deepseek-coder", "gpt-2", "llama-bpe", "llama-spm", "qwen2",
                                         "starcoder"),
                         [](const auto& test) {
                             std::string name = test.param;
                             std::erase(name, '-');
                             return name;
                         });

} // namespace
} // namespace ingot::tools::test
