// The tokenizer against llama.cpp's cases for six vocabularies, and against the ids that llama.cpp gives the
// prompts of a real model.
#include "runtime/text/tokenizer.h"
#include "tests/runtime/vocab_file.h"

#include <chrono>
#include <cstdio>
#include <filesystem>
#include <random>
#include <sstream>

#include <gtest/gtest.h>

namespace ingot::runtime {
namespace {

const std::filesystem::path vocab_folder = std::filesystem::path(INGOT_SHARED_DIR) / "data" / "vocab";

Tokenizer load(const std::string& name) {
    return Tokenizer(test::VocabFile(vocab_folder / ("ggml-vocab-" + name + ".gguf")).vocabulary());
}

// The separator is the whole line: its newline before and after belong to it, any other to the texts.
std::vector<std::string> texts_of(const std::string& file) {
    const std::string separator = "\n__ggml_vocab_test__\n";
    std::vector<std::string> texts;
    std::size_t begin = 0;
    for (std::size_t end = file.find(separator); end != std::string::npos;
         end = file.find(separator, begin)) {
        texts.push_back(file.substr(begin, end - begin));
        begin = end + separator.size();
    }
    if (begin < file.size()) texts.push_back(file.substr(begin));
    return texts;
}

std::vector<std::vector<std::int32_t>> ids_of(const std::string& file) {
    std::vector<std::vector<std::int32_t>> lines;
    std::istringstream stream(file);
    for (std::string line; std::getline(stream, line);) {
        std::istringstream numbers(line);
        std::vector<std::int32_t> ids;
        for (std::int32_t id = 0; numbers >> id;) {
            ids.push_back(id);
        }
        lines.push_back(std::move(ids));
    }
    return lines;
}

class VocabCases : public testing::TestWithParam<const char*> {
  protected:
    void SetUp() override {
        if (!std::filesystem::exists(vocab_folder)) GTEST_SKIP() << vocab_folder << " is absent";
    }
};

TEST_P(VocabCases, GiveTheIdsOfLlamaCpp) {
    const Tokenizer tokenizer = load(GetParam());
    const std::string base = (vocab_folder / ("ggml-vocab-" + std::string(GetParam()) + ".gguf")).string();
    const auto texts = texts_of(test::read_file(base + ".inp"));
    const auto expected = ids_of(test::read_file(base + ".out"));
    ASSERT_EQ(texts.size(), 46u);
    ASSERT_EQ(expected.size(), texts.size());
    for (std::size_t i = 0; i < texts.size(); ++i) {
        const auto ids = tokenizer.encode(texts[i], {.add_special = false, .parse_special = false});
        EXPECT_EQ(ids, expected[i]) << "case " << i << ": " << testing::PrintToString(texts[i]);
        EXPECT_EQ(tokenizer.decode(ids), texts[i]) << "case " << i;
    }
}

// Encoding and decoding lose nothing, wherever the text is cut: the streamed pieces are those of decode().
TEST_P(VocabCases, RandomTextComesBack) {
    const Tokenizer tokenizer = load(GetParam());
    const auto seed = std::random_device{}();
    SCOPED_TRACE(testing::Message() << "seed " << seed);
    std::mt19937 random(seed);
    const char32_t from[] = {U'a', U'A', U'0',  U' ', U'\n',     U'\'', U'!',
                             U'é', U'я', U'中', U'𝄞', U'\u2003', U'๑',  U'🦙'};
    for (int round = 0; round < 300; ++round) {
        std::string text;
        for (auto length = random() % 40; length > 0; --length) {
            append_utf8(text, from[random() % std::size(from)] + (random() % 4 == 0 ? random() % 20 : 0));
        }
        const auto ids = tokenizer.encode(text, {.add_special = false, .parse_special = false});
        TextDecoder decoder(tokenizer);
        std::string streamed;
        for (const std::int32_t id : ids) {
            const std::string piece = decoder.push(id);
            Utf8Stream whole;
            EXPECT_EQ(whole.push(piece) + whole.flush(), piece) << "a character was cut";
            streamed += piece;
        }
        streamed += decoder.flush();
        EXPECT_EQ(streamed, text);
        EXPECT_EQ(tokenizer.decode(ids), text);
    }
}

TEST_P(VocabCases, AnyBytesAreTaken) {
    const Tokenizer tokenizer = load(GetParam());
    const auto seed = std::random_device{}();
    SCOPED_TRACE(testing::Message() << "seed " << seed);
    std::mt19937 random(seed);
    for (int round = 0; round < 300; ++round) {
        std::string text(random() % 60, '\0');
        for (char& byte : text) {
            byte = static_cast<char>(random());
        }
        for (const std::int32_t id : tokenizer.encode(text)) {
            ASSERT_GE(id, 0);
            ASSERT_LT(static_cast<std::size_t>(id), tokenizer.size());
        }
    }
}

// Megabytes without a place to cut must not become quadratic. The bound is loose: it is to fail for a
// quadratic merge (minutes), not for a slow or instrumented machine.
TEST_P(VocabCases, LongWordsTakeLinearTime) {
    const Tokenizer tokenizer = load(GetParam());
    for (const std::string& unit :
         {std::string("a"), std::string(" "), std::string("-"), std::string("\n"), std::string("中"),
          std::string("7"), std::string("<|"), std::string("ab")}) {
        std::string text;
        while (text.size() < (1u << 20)) {
            text += unit;
        }
        const auto start = std::chrono::steady_clock::now();
        const auto ids = tokenizer.encode(text);
        const double seconds =
            std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
        EXPECT_LT(seconds, 20) << testing::PrintToString(unit);
        EXPECT_GT(ids.size(), 1000u);
        RecordProperty(unit == "a" ? "seconds_for_a_megabyte_of_a" : "seconds", std::to_string(seconds));
    }
}

INSTANTIATE_TEST_SUITE_P(Vocabularies, VocabCases,
                         testing::Values("gpt-2", "llama-bpe", "llama-spm", "qwen2", "starcoder",
                                         "deepseek-coder"),
                         [](const auto& vocabulary) {
                             std::string name = vocabulary.param;
                             std::erase(name, '-');
                             return name;
                         });

} // namespace
} // namespace ingot::runtime
