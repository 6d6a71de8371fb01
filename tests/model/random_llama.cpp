#include "random_llama.h"

#include "codegen/random_inputs.h"

#include <cstdlib>
#include <fstream>
#include <random>
#include <stdexcept>

#include <fmt/format.h>
#include <gtest/gtest.h>

namespace ingot::tests {
namespace {

using frontend::test::Bytes;
using frontend::test::GgufBuilder;

void put_vocabulary(GgufBuilder& g, std::uint32_t size) {
    std::vector<std::string> tokens = {"<unk>", "<s>", "</s>"};
    std::vector<std::int32_t> types = {2, 3, 3};
    std::vector<float> scores = {0, 0, 0};
    const auto add = [&](std::string token, std::int32_t type, float score) {
        if (tokens.size() == size) return;
        tokens.push_back(std::move(token));
        types.push_back(type);
        scores.push_back(score);
    };
    for (int byte = 0; byte < 256; ++byte)
        add(fmt::format("<0x{:02X}>", byte), 6, 0);
    const std::string space = "\u2581";
    add(space, 1, -20);
    for (char c = 'a'; c <= 'z'; ++c)
        add(std::string(1, c), 1, -21);
    for (const char* word : {"th", "the", "an", "and", "in", "ing", "er"})
        add(word, 1, -static_cast<float>(tokens.size()) / 100);
    for (const char* word : {"th", "the", "a", "an", "and", "i", "in", "o"})
        add(space + word, 1, -static_cast<float>(tokens.size()) / 100);
    while (tokens.size() < size)
        add(fmt::format("{}w{}", space, tokens.size()), 1, -30);
    g.texts("tokenizer.ggml.tokens", tokens).array("tokenizer.ggml.scores", 6, scores);
    g.array("tokenizer.ggml.token_type", 5, types);
    g.u32("tokenizer.ggml.unknown_token_id", 0);
    g.text("tokenizer.chat_template", "{% for m in messages %}<s>{{ m.role }} {{ m.content }}</s>{% endfor %}"
                                      "{% if add_generation_prompt %}<s>assistant{% endif %}");
}

Bytes floats(std::uint64_t count, float middle, float spread, std::mt19937_64& random) {
    std::normal_distribution<float> normal(middle, spread);
    Bytes bytes;
    for (std::uint64_t i = 0; i < count; ++i)
        frontend::test::append(bytes, normal(random));
    return bytes;
}

} // namespace

GgufBuilder random_llama(const RandomLlama& model) {
    std::mt19937_64 random(model.seed);
    GgufBuilder g = frontend::test::tiny_llama(model.shape);
    put_vocabulary(g, model.shape.vocabulary);
    for (GgufBuilder::Tensor t : std::vector(g.tensors())) {
        if (t.dims.size() == 1) {
            t.data = floats(t.dims[0], 1, 0.2F, random);
        } else {
            const ir::Tensor weight =
                codegen::random_weight(model.shape.matrices, static_cast<int64_t>(t.dims[1]),
                                       static_cast<int64_t>(t.dims[0]), random);
            t.data.assign(weight.data.begin(), weight.data.end());
        }
        g.tensor(std::move(t));
    }
    if (!model.biases) return g;
    for (std::uint32_t i = 0; i < model.shape.layers; ++i) {
        const std::uint64_t q = model.shape.heads * model.shape.head_dim,
                            kv = model.shape.kv_heads * model.shape.head_dim;
        for (const auto& [name, length] : {std::pair{"q", q}, {"k", kv}, {"v", kv}})
            g.tensor({.name = fmt::format("blk.{}.attn_{}.bias", i, name),
                      .dims = {length},
                      .data = floats(length, 0, 0.5F, random)});
    }
    return g;
}

TemporaryFile::TemporaryFile(const std::string& name, const Bytes& bytes) {
    std::string pattern = testing::TempDir() + "/ingot-model-XXXXXX";
    if (mkdtemp(pattern.data()) == nullptr) throw std::runtime_error("no temporary folder");
    path_ = std::filesystem::path(pattern) / name;
    std::ofstream out(path_, std::ios::binary);
    out.write(reinterpret_cast<const char*>(bytes.data()), static_cast<std::streamsize>(bytes.size()));
    if (!out.flush()) throw std::runtime_error("can't write " + path_.string());
}

TemporaryFile::~TemporaryFile() {
    std::error_code error;
    std::filesystem::remove_all(path_.parent_path(), error);
}

} // namespace ingot::tests
