// Sizes and tensors of right llama models, the odd ones too.
#include "frontend/families/llama_params.h"
#include "tests/frontend/gguf_builder.h"

#include <cmath>
#include <filesystem>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace ingot::frontend::test {
namespace {

using gguf::File;
using testing::ElementsAre;

// `check` gets what is read of `g`, and the file.
template <class Check>
void with_params(const GgufBuilder& g, Check check) {
    const Bytes bytes = g.bytes();
    const File file = File::parse(bytes, "x.gguf");
    check(read_llama_params(file), file);
}
template <class Check>
void with_rope(const GgufBuilder& g, Check check) {
    with_params(g, [&](const LlamaParams& p, const File&) { check(p.rope); });
}

TEST(LlamaParams, ReadsAPlainModel) {
    with_params(tiny_llama(), [](const LlamaParams& p, const File& file) {
        EXPECT_EQ(p.vocabulary, 40u);
        EXPECT_EQ(p.context_length, 128u);
        EXPECT_EQ(p.embedding, 64u);
        EXPECT_EQ(p.head_dim, 32u);
        EXPECT_EQ(p.rms_epsilon, 1e-5f);
        EXPECT_EQ(p.attention_scale, 1 / std::sqrt(32.f));
        EXPECT_EQ(p.rope.dims, 32u);
        EXPECT_EQ(p.rope.base, 10000.f);
        EXPECT_EQ(p.rope.scaling, RopeScaling::none);
        EXPECT_EQ(p.rope.factor, 1.f);
        EXPECT_EQ(p.rope.magnitude, 1.f);
        EXPECT_EQ(p.rope.divisors, nullptr);
        EXPECT_TRUE(p.tied);
        EXPECT_EQ(p.head.weight, p.token_embedding);
        EXPECT_EQ(p.head.bias, nullptr);
        EXPECT_TRUE(p.warnings.empty());
        ASSERT_EQ(p.layers.size(), 2u);
        const LlamaLayer& layer = p.layers[1];
        EXPECT_EQ(layer.heads, 2u);
        EXPECT_EQ(layer.kv_heads, 1u);
        EXPECT_EQ(layer.ffn, 96u);
        EXPECT_EQ(layer.attn_norm, file.find_tensor("blk.1.attn_norm.weight"));
        EXPECT_EQ(layer.ffn_norm, file.find_tensor("blk.1.ffn_norm.weight"));
        EXPECT_EQ(layer.q.weight, file.find_tensor("blk.1.attn_q.weight"));
        EXPECT_EQ(layer.k.weight, file.find_tensor("blk.1.attn_k.weight"));
        EXPECT_EQ(layer.v.weight, file.find_tensor("blk.1.attn_v.weight"));
        EXPECT_EQ(layer.output.weight, file.find_tensor("blk.1.attn_output.weight"));
        EXPECT_EQ(layer.gate.weight, file.find_tensor("blk.1.ffn_gate.weight"));
        EXPECT_EQ(layer.up.weight, file.find_tensor("blk.1.ffn_up.weight"));
        EXPECT_EQ(layer.down.weight, file.find_tensor("blk.1.ffn_down.weight"));
        for (const Projection* q :
             {&layer.q, &layer.k, &layer.v, &layer.output, &layer.gate, &layer.up, &layer.down}) {
            EXPECT_EQ(q->bias, nullptr);
            EXPECT_EQ(q->scale, nullptr);
        }
    });
}

TEST(LlamaParams, TakesEveryShape) {
    const TinyLlama shapes[] = {
        {.layers = 1},
        {.heads = 2, .kv_heads = 2},
        {.embedding = 256, .heads = 8, .kv_heads = 1},
        {.embedding = 160, .heads = 2, .kv_heads = 1, .head_dim = 80, .ffn = 288},
        {.embedding = 64, .heads = 4, .kv_heads = 2, .head_dim = 40},
        {.embedding = 32, .heads = 1, .kv_heads = 1, .head_dim = 256},
        {.vocabulary = 33, .tied = false},
        {.embedding = 288,
         .heads = 9,
         .kv_heads = 3,
         .ffn = 288,
         .tied = false,
         .matrices = ir::Element::q4_1},
    };
    for (const TinyLlama& shape : shapes)
        with_params(tiny_llama(shape), [&](const LlamaParams& p, const File& file) {
            EXPECT_EQ(p.layers.size(), shape.layers);
            EXPECT_EQ(p.head_dim, shape.head_dim);
            EXPECT_EQ(p.layers[0].heads, shape.heads);
            EXPECT_EQ(p.layers[0].kv_heads, shape.kv_heads);
            EXPECT_EQ(p.vocabulary, shape.vocabulary);
            EXPECT_EQ(p.tied, shape.tied);
            EXPECT_EQ(p.head.weight, file.find_tensor(shape.tied ? "token_embd.weight" : "output.weight"));
            EXPECT_TRUE(p.warnings.empty());
        });
}

TEST(LlamaParams, TakesEveryFormatThatRuns) {
    for (const ir::ElementInfo& element : ir::all_elements())
        if (element.runs && element.gguf_id >= 0)
            with_params(
                tiny_llama({.matrices = *ir::element_from_gguf(static_cast<uint32_t>(element.gguf_id))}),
                [&](const LlamaParams& p, const File&) {
                    EXPECT_EQ(ir::info(p.layers[0].q.weight->element).gguf, element.gguf);
                });
}

TEST(LlamaParams, ReadsCountsOfEachLayer) {
    GgufBuilder g = tiny_llama({.layers = 2, .heads = 4, .kv_heads = 2, .head_dim = 32, .ffn = 96});
    g.array<uint32_t>("llama.attention.head_count", 4, {4, 2});
    g.array<int32_t>("llama.attention.head_count_kv", 5, {2, 1});
    g.array<uint32_t>("llama.feed_forward_length", 4, {96, 160});
    g.tensor("blk.1.attn_q.weight", {64, 64}).tensor("blk.1.attn_k.weight", {64, 32});
    g.tensor("blk.1.attn_v.weight", {64, 32}).tensor("blk.1.attn_output.weight", {64, 64});
    g.tensor("blk.1.ffn_gate.weight", {64, 160}).tensor("blk.1.ffn_up.weight", {64, 160});
    g.tensor("blk.1.ffn_down.weight", {160, 64});
    with_params(g, [](const LlamaParams& p, const File&) {
        EXPECT_EQ(p.layers[0].heads, 4u);
        EXPECT_EQ(p.layers[1].heads, 2u);
        EXPECT_EQ(p.layers[0].kv_heads, 2u);
        EXPECT_EQ(p.layers[1].kv_heads, 1u);
        EXPECT_EQ(p.layers[1].ffn, 160u);
    });
    // Where no key gives the head size, the first layer's count does.
    with_params(tiny_llama({.kv_heads = 2}).array<uint32_t>("llama.attention.head_count", 4, {2, 2}),
                [](const LlamaParams& p, const File&) { EXPECT_EQ(p.head_dim, 32u); });
    // Without key/value heads of their own, queries set the count.
    with_params(tiny_llama({.kv_heads = 2}).remove("llama.attention.head_count_kv"),
                [](const LlamaParams& p, const File&) { EXPECT_EQ(p.layers[1].kv_heads, 2u); });
}

TEST(LlamaParams, FindsBiasesAndScales) {
    GgufBuilder g = tiny_llama({.tied = false});
    for (const char* name : {"attn_q", "attn_k", "attn_v", "attn_output", "ffn_gate", "ffn_up", "ffn_down"}) {
        const std::string full = "blk.1." + std::string(name);
        const uint64_t outputs = full.ends_with("_q") || full.ends_with("output") || full.ends_with("down")
                                     ? 64
                                 : full.find("attn") != full.npos ? 32
                                                                  : 96;
        g.tensor(full + ".bias", {outputs}).tensor(full + ".scale", {1}).tensor(full + ".input_scale", {1});
    }
    g.tensor("blk.0.attn_q.bias", {64}, ir::Element::f16).tensor("output.scale", {1});
    with_params(g, [](const LlamaParams& p, const File& file) {
        EXPECT_EQ(p.layers[0].q.bias, file.find_tensor("blk.0.attn_q.bias"));
        EXPECT_EQ(p.layers[0].q.scale, nullptr);
        EXPECT_EQ(p.layers[0].k.bias, nullptr);
        EXPECT_EQ(p.layers[1].q.bias, file.find_tensor("blk.1.attn_q.bias"));
        EXPECT_EQ(p.layers[1].k.bias, file.find_tensor("blk.1.attn_k.bias"));
        EXPECT_EQ(p.layers[1].v.scale, file.find_tensor("blk.1.attn_v.scale"));
        EXPECT_EQ(p.layers[1].output.bias, file.find_tensor("blk.1.attn_output.bias"));
        EXPECT_EQ(p.layers[1].gate.scale, file.find_tensor("blk.1.ffn_gate.scale"));
        EXPECT_EQ(p.layers[1].up.bias, file.find_tensor("blk.1.ffn_up.bias"));
        EXPECT_EQ(p.layers[1].down.scale, file.find_tensor("blk.1.ffn_down.scale"));
        EXPECT_EQ(p.head.scale, file.find_tensor("output.scale"));
        EXPECT_TRUE(p.warnings.empty());
    });
}

TEST(LlamaParams, ReadsRope) {
    with_rope(tiny_llama().u32("llama.rope.dimension_count", 16).f32("llama.rope.freq_base", 5e5f),
              [](const Rope& r) {
                  EXPECT_EQ(r.dims, 16u);
                  EXPECT_EQ(r.base, 5e5f);
              });
    with_rope(tiny_llama().text("llama.rope.scaling.type", "linear").f32("llama.rope.scaling.factor", 4),
              [](const Rope& r) {
                  EXPECT_EQ(r.scaling, RopeScaling::linear);
                  EXPECT_EQ(r.factor, 4.f);
              });
    // A factor without a type scales linearly, also under its old name; the newer name wins.
    with_rope(tiny_llama().f32("llama.rope.scale_linear", 2), [](const Rope& r) {
        EXPECT_EQ(r.scaling, RopeScaling::linear);
        EXPECT_EQ(r.factor, 2.f);
    });
    with_rope(tiny_llama().f32("llama.rope.scale_linear", 2).f32("llama.rope.scaling.factor", 8),
              [](const Rope& r) { EXPECT_EQ(r.factor, 8.f); });
    // A factor of 0 or 1 scales nothing, and neither does the type "none".
    for (const float factor : {0.f, 1.f})
        with_rope(
            tiny_llama().text("llama.rope.scaling.type", "linear").f32("llama.rope.scaling.factor", factor),
            [](const Rope& r) {
                EXPECT_EQ(r.scaling, RopeScaling::none);
                EXPECT_EQ(r.factor, 1.f);
            });
    with_rope(tiny_llama().text("llama.rope.scaling.type", "none").f32("llama.rope.scaling.factor", 4),
              [](const Rope& r) {
                  EXPECT_EQ(r.scaling, RopeScaling::none);
                  EXPECT_EQ(r.factor, 1.f);
              });
    with_rope(tiny_llama().f32("llama.rope.scaling.attn_factor", 1.5f),
              [](const Rope& r) { EXPECT_EQ(r.magnitude, 1.5f); });
}

TEST(LlamaParams, ReadsLlama3ScalingFromKeysOrTensor) {
    GgufBuilder g = tiny_llama();
    g.text("llama.rope.scaling.type", "llama3").f32("llama.rope.scaling.factor", 8);
    with_rope(g, [](const Rope& r) {
        EXPECT_EQ(r.scaling, RopeScaling::llama3);
        EXPECT_EQ(r.factor, 8.f);
        EXPECT_EQ(r.low_freq_factor, 1.f);
        EXPECT_EQ(r.high_freq_factor, 4.f);
        EXPECT_EQ(r.original_context, 8192u);
    });
    g.f32("llama.rope.scaling.low_freq_factor", 2).f32("llama.rope.scaling.high_freq_factor", 3);
    g.u32("llama.rope.scaling.original_context_length", 4096);
    with_rope(g, [](const Rope& r) {
        EXPECT_EQ(r.low_freq_factor, 2.f);
        EXPECT_EQ(r.high_freq_factor, 3.f);
        EXPECT_EQ(r.original_context, 4096u);
    });
    // The tensor says the same in numbers; it must not be applied on top of the keys.
    g.tensor("rope_freqs.weight", {16});
    with_params(g, [](const LlamaParams& p, const File& file) {
        EXPECT_EQ(p.rope.scaling, RopeScaling::none);
        EXPECT_EQ(p.rope.factor, 1.f);
        EXPECT_EQ(p.rope.divisors, file.find_tensor("rope_freqs.weight"));
        EXPECT_THAT(p.warnings,
                    ElementsAre("key 'llama.rope.scaling.type' is not used: tensor 'rope_freqs.weight' has "
                                "its effect"));
    });
    // Linear scaling and the tensor are two things, and both hold.
    g.text("llama.rope.scaling.type", "linear");
    with_rope(g, [](const Rope& r) {
        EXPECT_EQ(r.scaling, RopeScaling::linear);
        EXPECT_EQ(r.factor, 8.f);
        EXPECT_NE(r.divisors, nullptr);
    });
}

TEST(LlamaParams, ReadsTheAttentionScale) {
    for (const float scale : {0.f, 0.25f})
        with_params(tiny_llama().f32("llama.attention.scale", scale), [&](const LlamaParams& p, const File&) {
            EXPECT_EQ(p.attention_scale, scale != 0 ? scale : 1 / std::sqrt(32.f));
        });
}

TEST(LlamaParams, WarnsOfTensorsThatAreNotUsed) {
    with_params(tiny_llama()
                    .tensor("extra", {4})
                    .tensor("blk.0.some_note", {1})
                    .tensor("blk.7.attn_norm.weight", {64}),
                [](const LlamaParams& p, const File&) {
                    EXPECT_THAT(p.warnings, ElementsAre("tensor 'extra' is not used",
                                                        "tensor 'blk.0.some_note' is not used",
                                                        "tensor 'blk.7.attn_norm.weight' is not used"));
                });
}

TEST(LlamaParams, ReadsTheFamiliesModel) {
    const std::filesystem::path path =
        std::filesystem::path(INGOT_SHARED_DIR) / "data/families/llama-dense.gguf.head";
    if (!std::filesystem::exists(path)) GTEST_SKIP() << path << " is absent";
    // The file is a header alone; its tensors get room behind it.
    const MappedFile head = MappedFile::open(path);
    Bytes bytes(head.bytes().begin(), head.bytes().end());
    bytes.resize(bytes.size() + 32, std::byte{0});
    bytes.resize(bytes.size() + (8u << 20), std::byte{0x3C});
    const File file = File::parse(bytes, "llama-dense.gguf");
    const LlamaParams p = read_llama_params(file);
    EXPECT_EQ(p.layers.size(), 2u);
    EXPECT_EQ(p.vocabulary, 128u);
    EXPECT_EQ(p.embedding, 256u);
    EXPECT_EQ(p.head_dim, 128u);
    EXPECT_EQ(p.layers[0].heads, 2u);
    EXPECT_EQ(p.layers[0].ffn, 384u);
    EXPECT_EQ(p.rope.scaling, RopeScaling::none);
    EXPECT_NE(p.rope.divisors, nullptr);
    EXPECT_FALSE(p.tied);
    for (const LlamaLayer& layer : p.layers)
        for (const Projection* q :
             {&layer.q, &layer.k, &layer.v, &layer.output, &layer.gate, &layer.up, &layer.down}) {
            EXPECT_NE(q->bias, nullptr);
            EXPECT_NE(q->scale, nullptr);
        }
    EXPECT_TRUE(p.warnings.empty());
}

} // namespace
} // namespace ingot::frontend::test
