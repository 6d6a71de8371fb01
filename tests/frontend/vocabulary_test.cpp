// The tokenizer's tables, right and wrong.
#include "frontend/vocabulary.h"
#include "tests/frontend/gguf_builder.h"

#include <filesystem>
#include <limits>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace ingot::frontend::test {
namespace {

using gguf::File;
using testing::HasSubstr;

GgufBuilder spm() {
    GgufBuilder g;
    g.text("general.architecture", "llama").u32("llama.vocab_size", 5).text("tokenizer.ggml.model", "llama");
    g.texts("tokenizer.ggml.tokens", {"<unk>", "<s>", "</s>", "<0x0a>", "a"});
    g.array<float>("tokenizer.ggml.scores", 6, {0, 0, 0, 0, -1});
    g.array<int32_t>("tokenizer.ggml.token_type", 5, {2, 3, 3, 6, 1});
    return g;
}

GgufBuilder bpe() {
    GgufBuilder g;
    g.text("tokenizer.ggml.model", "gpt2").text("tokenizer.ggml.pre", "smollm");
    g.texts("tokenizer.ggml.tokens", {"a", "b", "ab", "<end>"});
    g.array<int32_t>("tokenizer.ggml.token_type", 5, {1, 1, 1, 3}).texts("tokenizer.ggml.merges", {"a b"});
    return g;
}

// Reads from bytes that die with the call; so nothing of the result but copies may be used.
template <class Read>
auto with_file(const GgufBuilder& g, Read read) {
    const Bytes bytes = g.bytes();
    const File file = File::parse(bytes, "x.gguf");
    return read(file);
}

std::string error_of(const GgufBuilder& g) {
    try {
        with_file(g, [](const File& file) { return read_vocabulary(file).tokens.size(); });
    } catch (const ir::Error& error) {
        return error.what();
    }
    return "no error";
}

TEST(Vocabulary, SentencePiece) {
    with_file(spm(), [](const File& file) {
        const Vocabulary v = read_vocabulary(file);
        EXPECT_EQ(v.model, VocabularyModel::spm);
        EXPECT_EQ(v.model_name, "llama");
        EXPECT_THAT(v.tokens, testing::ElementsAre("<unk>", "<s>", "</s>", "<0x0a>", "a"));
        EXPECT_THAT(v.scores, testing::ElementsAre(0.f, 0.f, 0.f, 0.f, -1.f));
        EXPECT_EQ(v.types[3], TokenType::byte);
        EXPECT_EQ(v.unknown, 0u);
        EXPECT_EQ(v.bos, 1u);
        EXPECT_EQ(v.eos, 2u);
        EXPECT_FALSE(v.padding.has_value());
        EXPECT_TRUE(v.add_bos);
        EXPECT_FALSE(v.add_eos);
        EXPECT_TRUE(v.add_space_prefix);
        EXPECT_EQ(v.chat_template, "");
        return 0;
    });
}

TEST(Vocabulary, BytePairEncoding) {
    GgufBuilder g = bpe();
    g.u32("tokenizer.ggml.eos_token_id", 3)
        .u32("tokenizer.ggml.eot_token_id", 2)
        .u32("tokenizer.ggml.eom_token_id", 1);
    g.text("tokenizer.chat_template", "{{ x }}");
    with_file(g, [](const File& file) {
        const Vocabulary v = read_vocabulary(file);
        EXPECT_EQ(v.model, VocabularyModel::bpe);
        EXPECT_EQ(v.pre, "smollm");
        EXPECT_EQ(v.merges.size(), 1u);
        EXPECT_EQ(v.merges.at(0).left, "a");
        EXPECT_EQ(v.merges.at(0).right, "b");
        EXPECT_TRUE(v.scores.empty());
        EXPECT_EQ(v.types[3], TokenType::control);
        EXPECT_FALSE(v.bos.has_value());
        EXPECT_FALSE(v.unknown.has_value());
        EXPECT_EQ(v.eos, 3u);
        EXPECT_EQ(v.end_of_turn, 2u);
        EXPECT_EQ(v.end_of_message, 1u);
        EXPECT_FALSE(v.add_bos);
        EXPECT_FALSE(v.add_space_prefix);
        EXPECT_EQ(v.chat_template, "{{ x }}");
        return 0;
    });
}

TEST(Vocabulary, SwitchesComeFromTheFileWhereItHasThem) {
    const auto add_bos = [](const GgufBuilder& g) {
        return with_file(g, [](const File& file) { return read_vocabulary(file).add_bos; });
    };
    EXPECT_TRUE(add_bos(bpe().text("tokenizer.ggml.pre", "llama-bpe")));
    EXPECT_FALSE(
        add_bos(bpe().text("tokenizer.ggml.pre", "llama-bpe").boolean("tokenizer.ggml.add_bos_token", 0)));
    EXPECT_TRUE(add_bos(bpe().boolean("tokenizer.ggml.add_bos_token", 1)));
    EXPECT_FALSE(add_bos(spm().boolean("tokenizer.ggml.add_bos_token", 0)));
    with_file(spm().boolean("tokenizer.ggml.add_space_prefix", 0).boolean("tokenizer.ggml.add_eos_token", 1),
              [](const File& file) {
                  EXPECT_FALSE(read_vocabulary(file).add_space_prefix);
                  EXPECT_TRUE(read_vocabulary(file).add_eos);
                  return 0;
              });
}

TEST(Vocabulary, WithoutATokenizerThereAreOnlyIds) {
    with_file(GgufBuilder().u32("x", 1), [](const File& file) {
        const Vocabulary v = read_vocabulary(file);
        EXPECT_EQ(v.model, VocabularyModel::none);
        EXPECT_TRUE(v.tokens.empty());
        EXPECT_FALSE(v.add_bos);
        return 0;
    });
    with_file(spm().text("tokenizer.ggml.model", "test").remove("tokenizer.ggml.scores"),
              [](const File& file) {
                  const Vocabulary v = read_vocabulary(file);
                  EXPECT_EQ(v.model, VocabularyModel::none);
                  EXPECT_EQ(v.model_name, "test");
                  EXPECT_EQ(v.tokens.size(), 5u);
                  EXPECT_FALSE(v.add_bos);
                  EXPECT_FALSE(v.add_space_prefix);
                  return 0;
              });
}

TEST(VocabularyBadInput, EachIsNamed) {
    const struct {
        GgufBuilder file;
        const char* fragment;
    } cases[] = {
        {spm().remove("tokenizer.ggml.tokens"),
         "key 'tokenizer.ggml.tokens' is missing or empty, but the tokenizer 'llama'"},
        {spm().texts("tokenizer.ggml.tokens", {}), "key 'tokenizer.ggml.tokens' is missing or empty"},
        {bpe().remove("tokenizer.ggml.merges"),
         "key 'tokenizer.ggml.merges' is missing, but the tokenizer 'gpt2'"},
        {spm().u32("tokenizer.ggml.model", 1), "key 'tokenizer.ggml.model' is u32 1, but must be a string"},
        {bpe().u32("tokenizer.ggml.pre", 1), "key 'tokenizer.ggml.pre' is u32 1, but must be a string"},
        {spm().text("tokenizer.ggml.tokens", "a"),
         "key 'tokenizer.ggml.tokens' is string 'a', but must be an array of string"},
        {spm().array<int32_t>("tokenizer.ggml.tokens", 5, {1, 2, 3, 4, 5}),
         "is array of 5 i32, but must be an array of string"},
        {spm().array<double>("tokenizer.ggml.scores", 12, {1, 2, 3, 4, 5}),
         "is array of 5 f64, but must be an array of f32"},
        {spm().array<int32_t>("tokenizer.ggml.scores", 5, {1, 2, 3, 4, 5}),
         "is array of 5 i32, but must be an array of f32"},
        {spm().f32("tokenizer.ggml.scores", 1), "is f32 1, but must be an array of f32"},
        {spm().array<float>("tokenizer.ggml.scores", 6, {1, 2, 3, 4}),
         "'tokenizer.ggml.scores' has 4 entries for 5 tokens"},
        {spm().array<float>("tokenizer.ggml.scores", 6, {1, 2, 3, 4, 5, 6}), "has 6 entries for 5 tokens"},
        {spm().array<float>("tokenizer.ggml.scores", 6, {}), "has 0 entries for 5 tokens"},
        {spm().array<float>("tokenizer.ggml.scores", 6,
                            {1, 2, std::numeric_limits<float>::quiet_NaN(), 4, 5}),
         "entry 2 is not a number"},
        {spm().array<uint32_t>("tokenizer.ggml.token_type", 4, {2, 3, 3, 6, 1}),
         "is array of 5 u32, but must be an array of i32"},
        {spm().array<float>("tokenizer.ggml.token_type", 6, {2, 3, 3, 6, 1}),
         "is array of 5 f32, but must be an array of i32"},
        {spm().array<int32_t>("tokenizer.ggml.token_type", 5, {2, 3, 3, 6}), "has 4 entries for 5 tokens"},
        {spm().array<int32_t>("tokenizer.ggml.token_type", 5, {2, 3, 3, 6, 7}),
         "entry 4 is 7; token types are 0 to 6"},
        {spm().array<int32_t>("tokenizer.ggml.token_type", 5, {2, 3, 3, 6, -1}),
         "entry 4 is -1; token types are 0 to 6"},
        {bpe().array<uint8_t>("tokenizer.ggml.merges", 0, {1}),
         "is array of 1 u8, but must be an array of string"},
        {bpe().text("tokenizer.ggml.merges", "a b"), "must be an array of string"},
        {bpe().texts("tokenizer.ggml.merges", {"a b", "ab"}),
         "entry 1 is 'ab', not two parts with a space between"},
        {bpe().texts("tokenizer.ggml.merges", {""}), "entry 0 is '', not two parts"},
        {bpe().texts("tokenizer.ggml.merges", {" b"}), "entry 0 is ' b', not two parts"},
        {bpe().texts("tokenizer.ggml.merges", {"a "}), "entry 0 is 'a ', not two parts"},
        {bpe().texts("tokenizer.ggml.merges", {"a b c"}), "entry 0 is 'a b c', not two parts"},
        {bpe().texts("tokenizer.ggml.merges", {"a  b"}), "entry 0 is 'a  b', not two parts"},
        {spm().u32("tokenizer.ggml.bos_token_id", 5),
         "key 'tokenizer.ggml.bos_token_id' is 5, outside of the vocabulary of 5"},
        {spm().u32("tokenizer.ggml.eos_token_id", UINT32_MAX),
         "key 'tokenizer.ggml.eos_token_id' is 4294967295, outside"},
        {spm().u32("tokenizer.ggml.unknown_token_id", 1u << 31),
         "'tokenizer.ggml.unknown_token_id' is 2147483648, outside"},
        {spm().u32("tokenizer.ggml.padding_token_id", 99),
         "'tokenizer.ggml.padding_token_id' is 99, outside"},
        {spm().u32("tokenizer.ggml.eot_token_id", 6), "'tokenizer.ggml.eot_token_id' is 6, outside"},
        {spm().u32("tokenizer.ggml.fim_pre_token_id", 6), "'tokenizer.ggml.fim_pre_token_id' is 6, outside"},
        {spm().i32("tokenizer.ggml.bos_token_id", -1),
         "'tokenizer.ggml.bos_token_id' is i32 -1, but must be an integer"},
        {spm().u64("tokenizer.ggml.bos_token_id", 1ull << 32), "is u64 4294967296, but must be an integer"},
        {spm().f32("tokenizer.ggml.bos_token_id", 1), "is f32 1, but must be an integer"},
        {spm().u32("tokenizer.ggml.add_bos_token", 1),
         "key 'tokenizer.ggml.add_bos_token' is u32 1, but must be a bool"},
        {spm().u32("tokenizer.ggml.add_eos_token", 1), "must be a bool"},
        {spm().u32("tokenizer.ggml.add_space_prefix", 1), "must be a bool"},
        {spm().u32("tokenizer.chat_template", 1),
         "key 'tokenizer.chat_template' is u32 1, but must be a string"},
        {spm().u32("general.architecture", 1), "key 'general.architecture' is u32 1, but must be a string"},
        {spm().text("llama.vocab_size", "5"), "key 'llama.vocab_size' is string '5', but must be an integer"},
    };
    for (const auto& c : cases) {
        const std::string error = error_of(c.file);
        EXPECT_THAT(error, testing::StartsWith("x.gguf: ")) << c.fragment;
        EXPECT_THAT(error, HasSubstr(c.fragment));
        EXPECT_EQ(error.find('\n'), error.npos);
    }
}

TEST(VocabularyBadInput, ByteTokens) {
    for (const char* text : {"<0x-1>", "<0x+1>", "<0x 1>", "<0x1>", "<0x>", "<0x123>", "<0xG0>", "<0X00>",
                             "0x00", "<0x00", "<0x00>>", "", "<0x0\xC3\xA4>"})
        EXPECT_THAT(error_of(spm().texts("tokenizer.ggml.tokens", {"<unk>", "<s>", "</s>", text, "a"})),
                    HasSubstr("token 3 is a byte token, but its text is '"))
            << text;
    for (const char* text : {"<0x00>", "<0xFF>", "<0xfF>", "<0x9a>"})
        EXPECT_EQ(error_of(spm().texts("tokenizer.ggml.tokens", {"<unk>", "<s>", "</s>", text, "a"})),
                  "no error");
    // Only what says that it is a byte has to look like one.
    EXPECT_EQ(error_of(spm().texts("tokenizer.ggml.tokens", {"<unk>", "<s>", "</s>", "<0x00>", "<0x-1>"})),
              "no error");
}

TEST(VocabularySize, KeyThenListThenEmbedding) {
    const auto size = [](const GgufBuilder& g) {
        return with_file(g, [](const File& file) { return vocabulary_size(file); });
    };
    EXPECT_FALSE(size(GgufBuilder()).has_value());
    EXPECT_EQ(size(spm()), 5u);
    EXPECT_EQ(size(spm().remove("llama.vocab_size")), 5u);
    EXPECT_EQ(size(GgufBuilder().text("general.architecture", "llama").u64("llama.vocab_size", 7)), 7u);
    EXPECT_EQ(size(GgufBuilder().tensor("token_embd.weight", {32, 9})), 9u);
    EXPECT_EQ(size(spm().tensor("token_embd.weight", {32, 5})), 5u);
    EXPECT_EQ(size(GgufBuilder().texts("tokenizer.ggml.tokens", {}).tensor("token_embd.weight", {32, 9})),
              9u);
}

TEST(VocabularySize, AContradictionNamesEveryValue) {
    const auto error = [](const GgufBuilder& g) {
        try {
            with_file(g, [](const File& file) { return vocabulary_size(file); });
        } catch (const ir::Error& e) {
            return std::string(e.what());
        }
        return std::string("no error");
    };
    EXPECT_EQ(error(spm().u32("llama.vocab_size", 6).tensor("token_embd.weight", {32, 7})),
              "x.gguf: the vocabulary's size is contradictory: key 'llama.vocab_size' has 6, key "
              "'tokenizer.ggml.tokens' has 5, tensor 'token_embd.weight' has 7");
    EXPECT_THAT(error(spm().u32("llama.vocab_size", 6)),
                HasSubstr("'llama.vocab_size' has 6, key 'tokenizer.ggml.tokens' has 5"));
    EXPECT_THAT(error(spm().u32("llama.vocab_size", 0)), HasSubstr("'llama.vocab_size' has 0"));
    EXPECT_THAT(error(spm().remove("llama.vocab_size").tensor("token_embd.weight", {32, 6})),
                HasSubstr("'token_embd.weight' has 6"));
    EXPECT_THAT(error(spm().u64("llama.vocab_size", 1ull << 63)), HasSubstr("has 9223372036854775808"));
    GgufBuilder huge;
    huge.text("general.architecture", "llama").u64("llama.vocab_size", 1ull << 31);
    EXPECT_THAT(error(huge), HasSubstr("is not of 1 to 2147483647: key 'llama.vocab_size' has 2147483648"));
    EXPECT_THAT(error(huge.u64("llama.vocab_size", 0)), HasSubstr("is not of 1 to 2147483647"));
}

TEST(Vocabulary, SixRealOnes) {
    const std::filesystem::path folder = std::filesystem::path(INGOT_SHARED_DIR) / "data/vocab";
    if (!std::filesystem::exists(folder)) GTEST_SKIP() << folder << " is absent";
    const struct {
        const char* name;
        VocabularyModel model;
        size_t tokens, merges;
        bool add_bos;
        uint32_t bos, eos;
    } cases[] = {
        {"deepseek-coder", VocabularyModel::bpe, 32256, 31757, true, 32013, 32014},
        {"gpt-2", VocabularyModel::bpe, 50257, 50000, false, 50256, 50256},
        {"llama-bpe", VocabularyModel::bpe, 128256, 280147, true, 128000, 128001},
        {"llama-spm", VocabularyModel::spm, 32000, 0, true, 1, 2},
        {"qwen2", VocabularyModel::bpe, 151936, 151387, false, 151643, 151643},
        {"starcoder", VocabularyModel::bpe, 49152, 48872, false, 0, 0},
    };
    for (const auto& c : cases) {
        const File file = File::open(folder / ("ggml-vocab-" + std::string(c.name) + ".gguf"));
        const Vocabulary v = read_vocabulary(file);
        EXPECT_EQ(v.model, c.model) << c.name;
        if (c.model == VocabularyModel::bpe) {
            EXPECT_EQ(v.pre, c.name);
        }
        EXPECT_EQ(v.tokens.size(), c.tokens) << c.name;
        EXPECT_EQ(v.types.size(), c.tokens) << c.name;
        EXPECT_EQ(v.merges.size(), c.merges) << c.name;
        EXPECT_EQ(v.add_bos, c.add_bos) << c.name;
        EXPECT_EQ(v.bos, c.bos) << c.name;
        EXPECT_EQ(v.eos, c.eos) << c.name;
        EXPECT_EQ(v.add_space_prefix, c.model == VocabularyModel::spm) << c.name;
    }
}

} // namespace
} // namespace ingot::frontend::test
