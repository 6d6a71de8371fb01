// Models with one thing wrong, through the commands that open a model. The reader's own tests
// (tests/frontend) have many more of each kind.
#include <functional>
#include <limits>
#include <random>

#include "tests/tools/bad_input.h"
#include "tests/tools/model_file.h"

namespace ingot::tools::test {
namespace {

namespace fs = std::filesystem;
using frontend::test::Bytes;
using frontend::test::GgufBuilder;

// Which commands see the fault: what the file is, what its vocabulary is, what its model is.
enum class Seen { by_all, by_tokenizers, by_compilers };

struct BadModel {
    const char* what;
    std::function<void(GgufBuilder&)> spoil;
    const char* why; // a part of the message
    Seen seen = Seen::by_all;
};

// An array value whose head says more than follows.
Bytes array_head(uint32_t element, uint64_t count) {
    Bytes payload;
    frontend::test::append(payload, element);
    frontend::test::append(payload, count);
    return payload;
}

GgufBuilder::Tensor tensor(std::vector<uint64_t> dims, std::optional<uint64_t> offset = std::nullopt) {
    return {.name = "bad", .dims = std::move(dims), .data = Bytes(128), .offset = offset};
}

void spoil_byte_token(GgufBuilder& g) {
    g.text("tokenizer.ggml.model", "llama").texts("tokenizer.ggml.tokens", {"<unk>", "<0x-1>"});
    g.array<int32_t>("tokenizer.ggml.token_type", 5, {2, 6}).u32("tokenizer.ggml.eos_token_id", 0);
    g.u32("tokenizer.ggml.bos_token_id", 0).u32("llama.vocab_size", 2).tensor("token_embd.weight", {64, 2});
}

const std::vector<float> scores(257, 0.0F);
const std::vector<int32_t> types(258, 7);

const BadModel bad_models[] = {
    {"magic", [](auto& g) { g.magic = "GGML"; }, "is neither a GGUF model nor a plan"},
    {"version", [](auto& g) { g.version = 4; }, "is GGUF version 4"},
    {"big-endian", [](auto& g) { g.version = 0x03000000; }, "is a big-endian GGUF file"},
    {"2^31 tensors", [](auto& g) { g.tensor_count = 1ULL << 31; }, "speaks of 2147483648 tensors"},
    {"2^63 tensors", [](auto& g) { g.tensor_count = 1ULL << 63; }, "speaks of 9223372036854775808 tensors"},
    {"2^32 keys", [](auto& g) { g.metadata_count = 1ULL << 32; }, "speaks of 4294967296 metadata keys"},
    {"2^64 - 1 keys", [](auto& g) { g.metadata_count = UINT64_MAX; }, "metadata keys, but"},
    {"an array of 2^31 - 1", [](auto& g) { g.raw("bad", 9, array_head(0, (1ULL << 31) - 1)); },
     "key 'bad' is an array of 2147483647"},
    {"an array of 2^32 texts", [](auto& g) { g.raw("bad", 9, array_head(8, 1ULL << 32)); },
     "key 'bad' is an array of 4294967296"},
    {"an array of 2^63 f64", [](auto& g) { g.raw("bad", 9, array_head(12, 1ULL << 63)); },
     "key 'bad' is an array of 9223372036854775808"},
    {"an array of arrays", [](auto& g) { g.raw("bad", 9, array_head(9, 1)); },
     "key 'bad' is an array of arrays"},
    {"a text of 2^63 bytes", [](auto& g) { g.scalar("bad", 8, uint64_t{1} << 63); },
     "the file ends inside the value of key 'bad'"},
    {"a value type", [](auto& g) { g.scalar("bad", 13, 0); }, "key 'bad' has the unknown value type 13"},
    {"two keys of one name", [](auto& g) { g.again("llama.block_count"); },
     "two keys are named 'llama.block_count'"},
    {"a key with a NUL", [](auto& g) { g.u32(std::string("a\0b", 3), 1); }, "'a\\x00b', has a NUL in it"},
    {"a key that is not UTF-8", [](auto& g) { g.u32("a\xFF", 1); }, "'a\\xFF', is not UTF-8"},
    {"alignment 0", [](auto& g) { g.u32("general.alignment", 0); }, "key 'general.alignment' is 0"},
    {"alignment 3", [](auto& g) { g.u32("general.alignment", 3); }, "key 'general.alignment' is 3"},
    {"alignment 2^40", [](auto& g) { g.u64("general.alignment", 1ULL << 40); }, "must be a u32"},
    {"alignment as text", [](auto& g) { g.text("general.alignment", "32"); }, "must be a u32"},
    {"two tensors of one name", [](auto& g) { g.tensor_again({.name = "output_norm.weight", .dims = {4}}); },
     "two tensors are named 'output_norm.weight'"},
    {"a tensor's name with a NUL", [](auto& g) { g.tensor(std::string("t\0", 2), {4}); }, "has a NUL in it"},
    {"a tensor's name that is not UTF-8", [](auto& g) { g.tensor("\xC0\x80", {4}); }, "is not UTF-8"},
    {"no dims", [](auto& g) { g.tensor(tensor({})); }, "tensor 'bad' has 0 dimensions"},
    {"five dims", [](auto& g) { g.tensor(tensor({1, 1, 1, 1, 1})); }, "tensor 'bad' has 5 dimensions"},
    {"a dim of 0", [](auto& g) { g.tensor(tensor({32, 0})); }, "tensor 'bad': a dimension is 0"},
    {"dims that wrap to 0", [](auto& g) { g.tensor(tensor({1ULL << 32, 1ULL << 32})); }, "more than 63 bits"},
    {"dims that wrap to 32", [](auto& g) { g.tensor(tensor({1ULL << 32, 1ULL << 32, 1, 1})); },
     "more than 63 bits"},
    {"bytes that wrap", [](auto& g) { g.tensor(tensor({1ULL << 62})); }, "more bytes than 63 bits"},
    {"an element type",
     [](auto& g) { g.tensor({.name = "bad", .dims = {32}, .type = 255, .data = Bytes(128)}); },
     "unknown element type 255"},
    {"past the end", [](auto& g) { g.tensor(tensor({1ULL << 20})); },
     "tensor 'bad' (4194304 bytes at offset"},
    {"at 2^63", [](auto& g) { g.tensor(tensor({32}, 1ULL << 63)); }, "tensor 'bad' (128 bytes at offset 92"},
    {"an end that wraps", [](auto& g) { g.tensor(tensor({32}, UINT64_MAX - 31)); }, "ends past the"},
    {"overlapping", [](auto& g) { g.tensor(tensor({32}, 0)); }, "'bad' overlap"},
    {"unaligned", [](auto& g) { g.tensor(tensor({32}, 1)); }, "not a multiple of the alignment"},

    {"a token id past the end", [](auto& g) { g.u32("tokenizer.ggml.eos_token_id", 258); },
     "is 258, outside of the vocabulary of 258", Seen::by_tokenizers},
    {"a token id of 2^32 - 1", [](auto& g) { g.u32("tokenizer.ggml.padding_token_id", UINT32_MAX); },
     "is 4294967295, outside", Seen::by_tokenizers},
    {"a token id of 2^31", [](auto& g) { g.u32("tokenizer.ggml.bos_token_id", 1U << 31); },
     "is 2147483648, outside", Seen::by_tokenizers},
    {"scores of another type", [](auto& g) { g.array("tokenizer.ggml.scores", 5, types); },
     "but must be an array of f32", Seen::by_tokenizers},
    {"scores too few", [](auto& g) { g.array("tokenizer.ggml.scores", 6, scores); },
     "has 257 entries for 258 tokens", Seen::by_tokenizers},
    {"types of another type", [](auto& g) { g.array("tokenizer.ggml.token_type", 6, scores); },
     "but must be an array of i32", Seen::by_tokenizers},
    {"types too few", [](auto& g) { g.array("tokenizer.ggml.token_type", 5, std::vector<int32_t>(3, 1)); },
     "has 3 entries for 258 tokens", Seen::by_tokenizers},
    {"types that are none", [](auto& g) { g.array("tokenizer.ggml.token_type", 5, types); },
     "token types are 0 to 6", Seen::by_tokenizers},
    {"merges of another type", [](auto& g) { g.array("tokenizer.ggml.merges", 5, types); },
     "but must be an array of string", Seen::by_tokenizers},
    {"a merge of one part", [](auto& g) { g.texts("tokenizer.ggml.merges", {"ab"}); }, "not two parts",
     Seen::by_tokenizers},
    {"a byte token <0x-1>", spoil_byte_token, "is a byte token, but its text is '<0x-1>'",
     Seen::by_tokenizers},
    {"a pre-tokenizer", [](auto& g) { g.text("tokenizer.ggml.pre", "unheard-of"); }, "unheard-of",
     Seen::by_tokenizers},

    {"an architecture",
     [](auto& g) { g.text("general.architecture", "unheard-of").u32("unheard-of.vocab_size", 258); },
     "architecture \"unheard-of\" is not supported", Seen::by_compilers},
    {"no layers", [](auto& g) { g.u32("llama.block_count", 0); }, "key 'llama.block_count' is 0",
     Seen::by_compilers},
    {"10^9 layers", [](auto& g) { g.u32("llama.block_count", 1000000000); },
     "key 'llama.block_count' is 1000000000", Seen::by_compilers},
    {"heads that don't divide", [](auto& g) { g.u32("llama.attention.head_count", 5); },
     "does not divide into 5", Seen::by_compilers},
    {"KV heads that don't divide", [](auto& g) { g.u32("llama.attention.head_count_kv", 3); },
     "not a multiple of its 3 key/value heads", Seen::by_compilers},
    {"a tensor that is missing", [](auto& g) { g.remove_tensor("blk.1.ffn_up.weight"); },
     "tensor 'blk.1.ffn_up.weight' is missing", Seen::by_compilers},
    {"a tensor of another size", [](auto& g) { g.tensor("blk.1.attn_norm.weight", {63}); },
     "tensor 'blk.1.attn_norm.weight' has dims [63]", Seen::by_compilers},
    {"a vocabulary of two sizes", [](auto& g) { g.u32("llama.vocab_size", 259); },
     "key 'llama.vocab_size' has 259, key 'tokenizer.ggml.tokens' has 258", Seen::by_tokenizers},
};

class BadModels : public BadInput {
  protected:
    std::vector<std::vector<std::string>> commands(const std::string& file, Seen seen) const {
        std::vector<std::vector<std::string>> out = {{"compile", file}, {"run", file, "-p", "x", "-n", "1"}};
        if (seen != Seen::by_compilers) out.push_back({"tokenize", file, "-p", "x"});
        if (seen == Seen::by_all) out.push_back({"inspect", file});
        return out;
    }
};

TEST_F(BadModels, EachIsRefusedWithItsReason) {
    const std::string file = (folder / "model.gguf").string();
    for (const BadModel& bad : bad_models) {
        GgufBuilder model = tiny_model();
        bad.spoil(model);
        write_file(file, bytes_of(model));
        for (const auto& args : commands(file, bad.seen))
            expect_refused(args, bad.what, bad.why);
    }
}

TEST_F(BadModels, TheRealOneCutShort) {
    if (!fs::exists(INGOT_MODEL)) GTEST_SKIP() << "no model: give CMake -DINGOT_MODEL=FILE (tools/setup)";
    const std::string file = (folder / "model.gguf").string();
    constexpr size_t header = 1780000; // a little less than it has
    std::string whole = read_file(INGOT_MODEL).substr(0, header + (size_t{1} << 20));
    std::mt19937 random(std::random_device{}());
    std::vector<size_t> lengths = {5, 23, 24, whole.size()};
    for (int i = 0; i < 12; ++i)
        lengths.push_back(std::uniform_int_distribution<size_t>(25, header)(random));
    for (const size_t length : lengths) {
        write_file(file, std::string_view(whole).substr(0, length));
        for (const auto& args : commands(file, Seen::by_all))
            expect_refused(args, std::to_string(length) + " bytes", "truncated");
    }
}

} // namespace
} // namespace ingot::tools::test
