#include "tests/tools/model_file.h"

#include <random>

#include "codegen/random_inputs.h"
#include "runtime/text/byte_level.h"

namespace ingot::tools::test {

using frontend::test::GgufBuilder;

namespace {

constexpr uint32_t layers = 2, width = 64, heads = 2, kv_heads = 1, ffn = 96, vocabulary = end_token + 1;

} // namespace

GgufBuilder tiny_model(ir::Element matrices) {
    GgufBuilder g = frontend::test::tiny_llama({.layers = layers,
                                                .embedding = width,
                                                .heads = heads,
                                                .kv_heads = kv_heads,
                                                .head_dim = width / heads,
                                                .ffn = ffn,
                                                .vocabulary = vocabulary,
                                                .matrices = matrices});
    std::vector<std::string> tokens;
    std::vector<int32_t> types(256, 1);
    for (int byte = 0; byte < 256; ++byte)
        tokens.push_back(runtime::to_byte_level(std::string(1, static_cast<char>(byte))));
    for (const char* special : {"<|start|>", "<|end|>"}) {
        tokens.emplace_back(special);
        types.push_back(3);
    }
    g.text("tokenizer.ggml.model", "gpt2").text("tokenizer.ggml.pre", "gpt-2");
    g.texts("tokenizer.ggml.tokens", tokens).array("tokenizer.ggml.token_type", 5, types);
    g.texts("tokenizer.ggml.merges", {"a b"}).remove("tokenizer.ggml.scores");
    g.u32("tokenizer.ggml.bos_token_id", 256).u32("tokenizer.ggml.eos_token_id", end_token);

    std::mt19937_64 random(7);
    const auto fill = [&](const std::string& name, int64_t rows, int64_t cols) {
        const ir::Tensor t = codegen::random_weight(matrices, rows, cols, random);
        g.tensor({.name = name,
                  .dims = {static_cast<uint64_t>(cols), static_cast<uint64_t>(rows)},
                  .type = static_cast<uint32_t>(ir::info(matrices).gguf_id),
                  .data = {t.data.begin(), t.data.end()}});
    };
    fill("token_embd.weight", vocabulary, width);
    for (uint32_t i = 0; i < layers; ++i) {
        const std::string blk = "blk." + std::to_string(i) + ".";
        for (const char* name : {"attn_q", "attn_output"})
            fill(blk + name + ".weight", width, width);
        for (const char* name : {"attn_k", "attn_v"})
            fill(blk + name + ".weight", width / heads * kv_heads, width);
        for (const char* name : {"ffn_gate", "ffn_up"})
            fill(blk + name + ".weight", ffn, width);
        fill(blk + "ffn_down.weight", width, ffn);
    }
    return g;
}

std::string bytes_of(const GgufBuilder& model) {
    const frontend::test::Bytes bytes = model.bytes();
    return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

} // namespace ingot::tools::test
