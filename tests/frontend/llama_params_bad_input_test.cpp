// Wrong llama models: each gives one line that names the file and the key or tensor.
#include "frontend/families/llama_params.h"
#include "tests/frontend/gguf_builder.h"

#include <limits>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace ingot::frontend::test {
namespace {

using gguf::File;
using testing::HasSubstr;

std::string error_of(const GgufBuilder& g) {
    const Bytes bytes = g.bytes();
    try {
        read_llama_params(File::parse(bytes, "x.gguf"));
    } catch (const ir::Error& error) {
        EXPECT_EQ(error.where(), "x.gguf");
        const std::string text = error.what();
        EXPECT_EQ(text.find('\n'), text.npos);
        return text;
    }
    return "no error";
}

GgufBuilder right() {
    return tiny_llama({.layers = 2, .tied = false});
}

TEST(LlamaParamsBadInput, Keys) {
    constexpr float infinity = std::numeric_limits<float>::infinity();
    constexpr float nan = std::numeric_limits<float>::quiet_NaN();
    const struct {
        GgufBuilder file;
        const char* fragment;
    } cases[] = {
        {right().remove("general.architecture"), "key 'general.architecture' is missing"},
        {right().text("general.architecture", "mamba"),
         "the model's architecture is 'mamba'; this build knows 'llama'"},
        {right().u32("general.architecture", 1), "key 'general.architecture' is u32 1, but must be a string"},
        {right().u16("split.count", 3), "is one of 3 parts of a model"},
        {right().u32("llama.expert_count", 8),
         "key 'llama.expert_count' is 8, but this build runs only dense"},
        {right().u32("llama.nextn_predict_layers", 1), "key 'llama.nextn_predict_layers' is 1"},
        {right().boolean("llama.attention.causal", 0), "key 'llama.attention.causal' is false"},

        {right().remove("llama.block_count"), "key 'llama.block_count' is missing; it must be an integer"},
        {right().u32("llama.block_count", 0),
         "key 'llama.block_count' is 0; the file's 21 tensors, 9 a layer at least"},
        {right().u32("llama.block_count", 3), "key 'llama.block_count' is 3; the file's 21 tensors"},
        {right().u32("llama.block_count", 1000000000),
         "key 'llama.block_count' is 1000000000; the file's 21 tensors"},
        {right().u32("llama.block_count", UINT32_MAX), "key 'llama.block_count' is 4294967295; the file's"},
        {right().u64("llama.block_count", 1ull << 63), "is u64 9223372036854775808, but must be an integer"},
        {right().text("llama.block_count", "2"),
         "key 'llama.block_count' is string '2', but must be an integer"},
        {right().f32("llama.block_count", 2), "key 'llama.block_count' is f32 2, but must be an integer"},

        {right().remove("llama.context_length"), "key 'llama.context_length' is missing"},
        {right().u32("llama.context_length", 0),
         "key 'llama.context_length' is 0; it must be 1 to 2147483647"},
        {right().u32("llama.context_length", 1u << 31),
         "key 'llama.context_length' is 2147483648; it must be 1 to"},
        {right().remove("llama.embedding_length"), "key 'llama.embedding_length' is missing"},
        {right().u32("llama.embedding_length", 0), "key 'llama.embedding_length' is 0; it must be 1 to"},
        {right().u32("llama.embedding_length", 1u << 31),
         "key 'llama.embedding_length' is 2147483648; it must be 1 to"},
        {right().u32("llama.embedding_length", 128),
         "tensor 'token_embd.weight' has dims [64, 40], but the model's sizes say [128, 40]"},
        {right().remove("llama.attention.layer_norm_rms_epsilon"),
         "'llama.attention.layer_norm_rms_epsilon' is missing"},
        {right().f32("llama.attention.layer_norm_rms_epsilon", -1), "is -1; it must be 0 or more"},
        {right().f32("llama.attention.layer_norm_rms_epsilon", nan), "is nan; it must be 0 or more"},
        {right().u32("llama.attention.layer_norm_rms_epsilon", 0),
         "is u32 0, but must be a floating-point number"},

        {right().remove("llama.attention.head_count"), "key 'llama.attention.head_count' is missing"},
        {right().u32("llama.attention.head_count", 0), "key 'llama.attention.head_count' is 0 for layer 0"},
        {right().u32("llama.attention.head_count", UINT32_MAX),
         "key 'llama.attention.head_count' is 4294967295 for layer 0"},
        {right().u32("llama.attention.head_count", 3), "an embedding of 64 does not divide into 3 heads"},
        {right().u32("llama.attention.head_count_kv", 0),
         "key 'llama.attention.head_count_kv' is 0 for layer 0"},
        {right().u32("llama.attention.head_count_kv", 3),
         "layer 0 has 2 query heads, not a multiple of its 3 key/value heads"},
        {right().array<uint32_t>("llama.attention.head_count_kv", 4, {1, 0}),
         "key 'llama.attention.head_count_kv' is 0 for layer 1"},
        {right().array<uint32_t>("llama.attention.head_count_kv", 4, {1}),
         "key 'llama.attention.head_count_kv' has 1 entries for 2 layers"},
        {right().array<uint32_t>("llama.attention.head_count", 4, {}),
         "key 'llama.attention.head_count' has 0 entries for 2 layers"},
        {right().array<uint32_t>("llama.attention.head_count", 4, {2, 3, 4}), "has 3 entries for 2 layers"},
        {right().array<float>("llama.attention.head_count", 6, {2, 2}),
         "is array of 2 f32, but must be an array of integers"},
        {right().array<int32_t>("llama.attention.head_count", 5, {2, -2}),
         "is array of 2 i32, but must be an array of integers"},
        {right().remove("llama.feed_forward_length"), "key 'llama.feed_forward_length' is missing"},
        {right().u32("llama.feed_forward_length", 0), "key 'llama.feed_forward_length' is 0 for layer 0"},
        {right().u32("llama.feed_forward_length", 97),
         "'blk.0.ffn_gate.weight' has dims [64, 96], but the model's sizes say [64, 97]"},

        {right().u32("llama.attention.key_length", 0), "the head size is 0"},
        {right().u32("llama.attention.key_length", 24), "the head size is 24"},
        {right().u32("llama.attention.key_length", 36), "the head size is 36"},
        {right().u32("llama.attention.key_length", 264), "the head size is 264"},
        {right().u32("llama.attention.key_length", UINT32_MAX), "the head size is 4294967295"},
        {right().u32("llama.attention.head_count", 16).u32("llama.attention.head_count_kv", 1),
         "the head size is 4 "},
        {right().u32("llama.attention.key_length", 64),
         "'blk.0.attn_q.weight' has dims [64, 64], but the model's sizes say [64, 128]"},
        {right().u32("llama.attention.value_length", 64),
         "key 'llama.attention.value_length' is 64, but the size of a key is 32"},
        {right().u32("llama.attention.key_length", 256).u32("llama.attention.head_count", 1u << 24),
         "16777216 heads of 256 are more than"},
        {right().f32("llama.attention.scale", nan), "key 'llama.attention.scale' is nan"},

        {right().u32("llama.rope.dimension_count", 0),
         "key 'llama.rope.dimension_count' is 0; it must be even"},
        {right().u32("llama.rope.dimension_count", 15),
         "key 'llama.rope.dimension_count' is 15; it must be even"},
        {right().u32("llama.rope.dimension_count", 34),
         "key 'llama.rope.dimension_count' is 34; it must be even and 2 to the head size 32"},
        {right().f32("llama.rope.freq_base", 0),
         "key 'llama.rope.freq_base' is 0; it must be a number above 0"},
        {right().f32("llama.rope.freq_base", -1), "key 'llama.rope.freq_base' is -1"},
        {right().f32("llama.rope.freq_base", infinity), "key 'llama.rope.freq_base' is inf"},
        {right().text("llama.rope.scaling.type", "yarn"),
         "key 'llama.rope.scaling.type' is 'yarn'; this build knows none, linear and llama3"},
        {right().text("llama.rope.scaling.type", "longrope"), "is 'longrope'; this build knows"},
        {right().u32("llama.rope.scaling.type", 1),
         "key 'llama.rope.scaling.type' is u32 1, but must be a string"},
        {right().f32("llama.rope.scaling.factor", -2), "key 'llama.rope.scaling.factor' is -2; it must be"},
        {right().f32("llama.rope.scaling.factor", nan), "key 'llama.rope.scaling.factor' is nan"},
        {right().f32("llama.rope.scaling.attn_factor", 0), "key 'llama.rope.scaling.attn_factor' is 0"},
        {right()
             .text("llama.rope.scaling.type", "llama3")
             .f32("llama.rope.scaling.factor", 8)
             .f32("llama.rope.scaling.high_freq_factor", 1),
         "key 'llama.rope.scaling.high_freq_factor' is 1; it must be above"},
        {right()
             .text("llama.rope.scaling.type", "llama3")
             .f32("llama.rope.scaling.factor", 8)
             .u32("llama.rope.scaling.original_context_length", 0),
         "key 'llama.rope.scaling.original_context_length' is 0"},

        {right().u32("llama.vocab_size", 41),
         "contradictory: key 'llama.vocab_size' has 41, key 'tokenizer.ggml.tokens' has 40, tensor "
         "'token_embd.weight' has 40"},
        {right().tensor("token_embd.weight", {64, 41}), "tensor 'token_embd.weight' has 41"},
    };
    EXPECT_EQ(error_of(right()), "no error");
    for (const auto& c : cases)
        EXPECT_THAT(error_of(c.file), HasSubstr(c.fragment));
}

TEST(LlamaParamsBadInput, EveryTensorOfTheModelIsNeeded) {
    const Bytes bytes = right().bytes();
    const File file = File::parse(bytes, "x.gguf");
    for (const gguf::TensorInfo& tensor : file.tensors()) {
        const std::string name(tensor.name);
        // One more that is unknown, so that the count of tensors still allows two layers.
        const std::string error = error_of(right().remove_tensor(name).tensor("spare", {1}));
        // Without a head of its own the model is a tied one.
        EXPECT_THAT(error, HasSubstr(name == "output.weight"
                                         ? "no error"
                                         : "tensor '" + name + "' is missing; it must have dims ["));
    }
}

TEST(LlamaParamsBadInput, EveryTensorHasItsDims) {
    const Bytes bytes = right().bytes();
    const File file = File::parse(bytes, "x.gguf");
    for (const gguf::TensorInfo& tensor : file.tensors()) {
        const std::string name(tensor.name);
        if (name == "token_embd.weight")
            continue; // its rows are the vocabulary's size, which is tested above
        for (size_t i = 0; i < tensor.dims.size(); ++i) {
            auto dims = tensor.dims;
            dims[i] += 1;
            EXPECT_THAT(error_of(right().tensor(name, dims)), HasSubstr("tensor '" + name + "' has dims ["));
        }
        auto dims = tensor.dims;
        dims.push_back(2);
        EXPECT_THAT(error_of(right().tensor(name, dims)), HasSubstr("tensor '" + name + "' has dims ["));
        dims.back() = 1;
        EXPECT_EQ(error_of(right().tensor(name, dims)), "no error") << "a last dim of 1 changes nothing";
    }
}

TEST(LlamaParamsBadInput, Tensors) {
    const struct {
        GgufBuilder file;
        const char* fragment;
    } cases[] = {
        {right().tensor("blk.1.attn_q.weight", {64, 64}, ir::Element::iq4_nl),
         "tensor 'blk.1.attn_q.weight' is IQ4_NL, which this build cannot compute with"},
        {right().tensor("blk.1.attn_q.weight", {64, 64}, ir::Element::i32),
         "tensor 'blk.1.attn_q.weight' is I32, which"},
        {right().tensor("blk.0.attn_norm.weight", {64}, ir::Element::q8_0),
         "tensor 'blk.0.attn_norm.weight' is Q8_0; a vector must be F32, F16 or BF16"},
        {right().tensor("blk.0.attn_q.bias", {64}, ir::Element::q4_0),
         "tensor 'blk.0.attn_q.bias' is Q4_0; a vector must be"},
        {right().tensor("blk.0.attn_q.bias", {32}),
         "tensor 'blk.0.attn_q.bias' has dims [32], but the model's sizes say [64]"},
        {right().tensor("blk.0.attn_q.scale", {2}),
         "tensor 'blk.0.attn_q.scale' has dims [2], but the model's sizes say [1]"},
        {right().tensor("blk.0.attn_q.scale", {1}, ir::Element::f16),
         "tensor 'blk.0.attn_q.scale' is F16; it must be F32"},
        {right().tensor("rope_freqs.weight", {32}),
         "tensor 'rope_freqs.weight' has dims [32], but the model's sizes say [16]"},
        {right().tensor("rope_freqs.weight", {16}, ir::Element::f16),
         "tensor 'rope_freqs.weight' is F16; it must be F32"},
        {right().tensor("rope_freqs.weight", {16}, ir::Element::f32, 0),
         "tensor 'rope_freqs.weight': element 0 is 0; each must be above 0"},
        {right().tensor("rope_freqs.weight", {16}, ir::Element::f32, 0xFF),
         "tensor 'rope_freqs.weight': element 0 is"},
        {right().tensor("blk.0.attn_qkv.weight", {64, 128}),
         "tensor 'blk.0.attn_qkv.weight' is not a part of the llama architecture"},
        {right().tensor("blk.1.attn_q_norm.weight", {32}),
         "tensor 'blk.1.attn_q_norm.weight' is not a part of"},
        {right().tensor("blk.0.ffn_gate_exps.weight", {64, 96, 4}),
         "tensor 'blk.0.ffn_gate_exps.weight' is not a part of"},
        {right().tensor("output_norm.bias", {64}), "tensor 'output_norm.bias' is not a part of"},
    };
    for (const auto& c : cases)
        EXPECT_THAT(error_of(c.file), HasSubstr(c.fragment));
}

TEST(LlamaParamsBadInput, AVocabularyIsNoModel) {
    GgufBuilder empty;
    empty.text("general.architecture", "llama").u32("llama.vocab_size", 40).u32("llama.context_length", 128);
    empty.u32("llama.embedding_length", 64).u32("llama.block_count", 2);
    empty.f32("llama.attention.layer_norm_rms_epsilon", 1e-5f);
    EXPECT_THAT(error_of(empty), HasSubstr("holds no tensors; it is a vocabulary without a model"));
    EXPECT_THAT(error_of(empty.remove("llama.vocab_size")), HasSubstr("the vocabulary's size is nowhere"));
}

} // namespace
} // namespace ingot::frontend::test
