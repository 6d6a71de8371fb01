// Builds the bytes of GGUF files for tests, right ones and wrong ones.
#pragma once

#include "ir/element.h"

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <initializer_list>
#include <numeric>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace ingot::frontend::test {

using Bytes = std::vector<std::byte>;

template <class T>
void append(Bytes& out, T value) {
    const auto* at = reinterpret_cast<const std::byte*>(&value);
    out.insert(out.end(), at, at + sizeof value);
}
inline void append_text(Bytes& out, std::string_view text) {
    append<uint64_t>(out, text.size());
    const auto* at = reinterpret_cast<const std::byte*>(text.data());
    out.insert(out.end(), at, at + text.size());
}

// Metadata and tensors are written in the order in which they were put; a second put of a key or tensor of
// the same name replaces the first, except by `again`. Every number of the header can be overridden with a
// lie.
class GgufBuilder {
  public:
    uint32_t version = 3;
    uint64_t alignment = 32; // of the data; put "general.alignment" too where it is not 32
    std::string magic = "GGUF";
    std::optional<uint64_t> metadata_count, tensor_count;

    // A value of any type number with any payload.
    GgufBuilder& raw(std::string key, uint32_t type, Bytes payload) {
        remove(key);
        metadata_.push_back({std::move(key), type, std::move(payload)});
        return *this;
    }
    template <class T>
    GgufBuilder& scalar(std::string key, uint32_t type, T value) {
        Bytes payload;
        append(payload, value);
        return raw(std::move(key), type, std::move(payload));
    }
    GgufBuilder& u8(std::string key, uint8_t v) { return scalar(std::move(key), 0, v); }
    GgufBuilder& i8(std::string key, int8_t v) { return scalar(std::move(key), 1, v); }
    GgufBuilder& u16(std::string key, uint16_t v) { return scalar(std::move(key), 2, v); }
    GgufBuilder& i16(std::string key, int16_t v) { return scalar(std::move(key), 3, v); }
    GgufBuilder& u32(std::string key, uint32_t v) { return scalar(std::move(key), 4, v); }
    GgufBuilder& i32(std::string key, int32_t v) { return scalar(std::move(key), 5, v); }
    GgufBuilder& f32(std::string key, float v) { return scalar(std::move(key), 6, v); }
    GgufBuilder& boolean(std::string key, uint8_t v) { return scalar(std::move(key), 7, v); }
    GgufBuilder& u64(std::string key, uint64_t v) { return scalar(std::move(key), 10, v); }
    GgufBuilder& i64(std::string key, int64_t v) { return scalar(std::move(key), 11, v); }
    GgufBuilder& f64(std::string key, double v) { return scalar(std::move(key), 12, v); }
    GgufBuilder& text(std::string key, std::string_view v) {
        Bytes payload;
        append_text(payload, v);
        return raw(std::move(key), 8, std::move(payload));
    }
    template <class T>
    GgufBuilder& array(std::string key, uint32_t element, const std::vector<T>& values) {
        Bytes payload;
        append(payload, element);
        append<uint64_t>(payload, values.size());
        for (const T& value : values)
            append(payload, value);
        return raw(std::move(key), 9, std::move(payload));
    }
    GgufBuilder& texts(std::string key, const std::vector<std::string>& values) {
        Bytes payload;
        append<uint32_t>(payload, 8);
        append<uint64_t>(payload, values.size());
        for (const std::string& value : values)
            append_text(payload, value);
        return raw(std::move(key), 9, std::move(payload));
    }
    // A second entry of a key that is there already.
    GgufBuilder& again(std::string key) {
        metadata_.push_back({std::move(key), 0, Bytes(1)});
        return *this;
    }
    GgufBuilder& remove(std::string_view key) {
        std::erase_if(metadata_, [&](const Metadata& m) { return m.key == key; });
        return *this;
    }

    struct Tensor {
        std::string name;
        std::vector<uint64_t> dims;
        uint32_t type = 0; // ggml's number
        Bytes data;
        std::optional<uint64_t> offset = std::nullopt; // else where the data is put
        std::optional<uint32_t> dim_count = std::nullopt;
    };
    GgufBuilder& tensor(Tensor tensor) {
        remove_tensor(tensor.name);
        tensors_.push_back(std::move(tensor));
        return *this;
    }
    // With data of the right size, every byte `fill` (0x3C3C3C3C is 0.0115 as f32).
    GgufBuilder& tensor(std::string name, std::vector<uint64_t> dims, ir::Element element = ir::Element::f32,
                        int fill = 0x3C) {
        const uint64_t elements = std::accumulate(dims.begin(), dims.end(), uint64_t{1}, std::multiplies<>());
        const ir::ElementInfo& info = ir::info(element);
        const uint64_t bytes = elements / info.block_elements * info.block_bytes;
        return tensor({.name = std::move(name),
                       .dims = std::move(dims),
                       .type = static_cast<uint32_t>(info.gguf_id),
                       .data = Bytes(bytes, static_cast<std::byte>(fill))});
    }
    GgufBuilder& tensor_again(Tensor tensor) {
        tensors_.push_back(std::move(tensor));
        return *this;
    }
    GgufBuilder& remove_tensor(std::string_view name) {
        std::erase_if(tensors_, [&](const Tensor& t) { return t.name == name; });
        return *this;
    }

    const std::vector<Tensor>& tensors() const { return tensors_; }

    // Everything before the data section's padding.
    Bytes header() const {
        Bytes out;
        for (const char c : magic)
            out.push_back(static_cast<std::byte>(c));
        append(out, version);
        append<uint64_t>(out, tensor_count.value_or(tensors_.size()));
        append<uint64_t>(out, metadata_count.value_or(metadata_.size()));
        for (const Metadata& m : metadata_) {
            append_text(out, m.key);
            append(out, m.type);
            out.insert(out.end(), m.payload.begin(), m.payload.end());
        }
        uint64_t offset = 0;
        for (const Tensor& t : tensors_) {
            append_text(out, t.name);
            append<uint32_t>(out, t.dim_count.value_or(static_cast<uint32_t>(t.dims.size())));
            for (const uint64_t dim : t.dims)
                append(out, dim);
            append(out, t.type);
            append<uint64_t>(out, t.offset.value_or(offset));
            offset += aligned(t.data.size());
        }
        return out;
    }

    Bytes bytes() const {
        Bytes out = header();
        out.resize(aligned(out.size()));
        for (const Tensor& t : tensors_) {
            out.insert(out.end(), t.data.begin(), t.data.end());
            out.resize(aligned(out.size()));
        }
        return out;
    }

  private:
    struct Metadata {
        std::string key;
        uint32_t type;
        Bytes payload;
    };
    uint64_t aligned(uint64_t n) const { return (n + alignment - 1) / alignment * alignment; }

    std::vector<Metadata> metadata_;
    std::vector<Tensor> tensors_;
};

struct TinyLlama {
    uint32_t layers = 2;
    uint32_t embedding = 64;
    uint32_t heads = 2;
    uint32_t kv_heads = 1;
    uint32_t head_dim = 32;
    uint32_t ffn = 96;
    uint32_t vocabulary = 40;
    bool tied = true;
    ir::Element matrices = ir::Element::f32;
};

// A small and whole model of the llama family with a SentencePiece vocabulary.
inline GgufBuilder tiny_llama(const TinyLlama& m = {}) {
    GgufBuilder g;
    g.text("general.architecture", "llama").u32("llama.vocab_size", m.vocabulary);
    g.u32("llama.context_length", 128).u32("llama.embedding_length", m.embedding);
    g.u32("llama.block_count", m.layers).u32("llama.feed_forward_length", m.ffn);
    g.u32("llama.attention.head_count", m.heads).u32("llama.attention.head_count_kv", m.kv_heads);
    g.f32("llama.attention.layer_norm_rms_epsilon", 1e-5f);
    if (m.head_dim * m.heads != m.embedding)
        g.u32("llama.attention.key_length", m.head_dim).u32("llama.attention.value_length", m.head_dim);

    std::vector<std::string> tokens = {"<unk>", "<s>", "</s>", "<0x00>", "<0xfF>"};
    std::vector<int32_t> types = {2, 3, 3, 6, 6};
    while (tokens.size() < m.vocabulary) {
        tokens.push_back("t" + std::to_string(tokens.size()));
        types.push_back(1);
    }
    g.text("tokenizer.ggml.model", "llama").texts("tokenizer.ggml.tokens", tokens);
    g.array("tokenizer.ggml.scores", 6, std::vector<float>(tokens.size(), -1.5f));
    g.array("tokenizer.ggml.token_type", 5, types);
    g.u32("tokenizer.ggml.bos_token_id", 1).u32("tokenizer.ggml.eos_token_id", 2);

    g.tensor("token_embd.weight", {m.embedding, m.vocabulary}, m.matrices);
    g.tensor("output_norm.weight", {m.embedding});
    if (!m.tied) g.tensor("output.weight", {m.embedding, m.vocabulary}, m.matrices);
    const uint64_t q = m.heads * m.head_dim, kv = m.kv_heads * m.head_dim;
    for (uint32_t i = 0; i < m.layers; ++i) {
        const std::string blk = "blk." + std::to_string(i) + ".";
        g.tensor(blk + "attn_norm.weight", {m.embedding}).tensor(blk + "ffn_norm.weight", {m.embedding});
        g.tensor(blk + "attn_q.weight", {m.embedding, q}, m.matrices);
        g.tensor(blk + "attn_k.weight", {m.embedding, kv}, m.matrices);
        g.tensor(blk + "attn_v.weight", {m.embedding, kv}, m.matrices);
        g.tensor(blk + "attn_output.weight", {q, m.embedding}, m.matrices);
        g.tensor(blk + "ffn_gate.weight", {m.embedding, m.ffn}, m.matrices);
        g.tensor(blk + "ffn_up.weight", {m.embedding, m.ffn}, m.matrices);
        g.tensor(blk + "ffn_down.weight", {m.ffn, m.embedding}, m.matrices);
    }
    return g;
}

} // namespace ingot::frontend::test
