#include "frontend/families/llama_weights.h"

#include "frontend/gguf/text.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstring>
#include <span>
#include <string>
#include <string_view>

#include <fmt/format.h>

namespace ingot::frontend {
namespace {

using gguf::dims_text;
using gguf::quoted;
using gguf::TensorInfo;

// Tensors of `blk.N.` that other models of the same lineage have. To leave one out would give wrong text
// without a word, so these are errors where any other unknown tensor is a warning.
constexpr std::array refused = {
    "attn_qkv.weight",    "attn_q_norm.weight",   "attn_k_norm.weight",   "attn_norm.bias",
    "ffn_norm.bias",      "ffn_gate_inp.weight",  "attn_sinks.weight",    "post_attention_norm.weight",
    "attn_norm_2.weight", "post_ffw_norm.weight", "attn_sub_norm.weight", "ffn_sub_norm.weight",
};

class Weights {
  public:
    explicit Weights(const gguf::File& file) : file_(file), used_(file.tensors().size()) {}

    // Null if absent. Trailing dims of 1 are no difference, as everywhere in ggml.
    const TensorInfo* optional(const std::string& name, std::span<const uint64_t> dims) {
        const TensorInfo* tensor = file_.find_tensor(name);
        if (tensor == nullptr) return nullptr;
        used_[static_cast<size_t>(tensor - file_.tensors().data())] = true;
        if (!std::ranges::equal(trimmed(tensor->dims), trimmed(dims)))
            file_.fail(fmt::format("tensor {} has dims {}, but the model's sizes say {}", quoted(name),
                                   dims_text(tensor->dims), dims_text(dims)));
        gguf::require_runnable(file_, *tensor);
        return tensor;
    }

    const TensorInfo* required(const std::string& name, std::span<const uint64_t> dims) {
        const TensorInfo* tensor = optional(name, dims);
        if (tensor == nullptr)
            file_.fail(
                fmt::format("tensor {} is missing; it must have dims {}", quoted(name), dims_text(dims)));
        return tensor;
    }

    const TensorInfo* vector(const std::string& name, uint64_t length, bool must_be) {
        const std::array dims{length};
        const TensorInfo* tensor = must_be ? required(name, dims) : optional(name, dims);
        if (tensor != nullptr && ir::is_quantized(tensor->element))
            file_.fail(fmt::format("tensor {} is {}; a vector must be F32, F16 or BF16", quoted(name),
                                   ir::info(tensor->element).gguf));
        return tensor;
    }

    const TensorInfo* f32_vector(const std::string& name, uint64_t length) {
        const TensorInfo* tensor = vector(name, length, false);
        if (tensor != nullptr && tensor->element != ir::Element::f32)
            file_.fail(
                fmt::format("tensor {} is {}; it must be F32", quoted(name), ir::info(tensor->element).gguf));
        return tensor;
    }

    Projection projection(const std::string& name, uint64_t inputs, uint64_t outputs) {
        const std::array dims{inputs, outputs};
        Projection projection{.weight = required(name + ".weight", dims)};
        add_bias_and_scale(name, outputs, projection);
        return projection;
    }

    void add_bias_and_scale(const std::string& name, uint64_t outputs, Projection& projection) {
        projection.bias = vector(name + ".bias", outputs, false);
        projection.scale = f32_vector(name + ".scale", 1);
        // Meant for activations of NVFP4 weights, which do not run here; of no effect for any other type.
        f32_vector(name + ".input_scale", 1);
    }

    std::vector<std::string> unused(uint32_t layers) const {
        std::vector<std::string> warnings;
        for (size_t i = 0; i < used_.size(); ++i) {
            if (used_[i]) continue;
            const std::string_view name = file_.tensors()[i].name;
            if (changes_result(name))
                file_.fail(
                    fmt::format("tensor {} is not a part of the llama architecture of {} layers; leaving it "
                                "out would change the model's output",
                                quoted(name), layers));
            warnings.push_back(fmt::format("tensor {} is not used", quoted(name)));
        }
        return warnings;
    }

  private:
    static std::span<const uint64_t> trimmed(std::span<const uint64_t> dims) {
        while (dims.size() > 1 && dims.back() == 1)
            dims = dims.first(dims.size() - 1);
        return dims;
    }

    static bool changes_result(std::string_view name) {
        if (name == "output_norm.bias" || name == "token_embd_norm.weight" || name == "position_embd.weight")
            return true;
        if (!name.starts_with("blk.")) return false;
        const size_t dot = name.find('.', 4);
        if (dot == name.npos) return false;
        const std::string_view role = name.substr(dot + 1);
        return role.find("_exps.") != role.npos || std::ranges::find(refused, role) != refused.end();
    }

    const gguf::File& file_;
    std::vector<bool> used_;
};

// An angle is divided by each of these.
void check_divisors(const gguf::File& file, const TensorInfo& divisors) {
    for (uint64_t i = 0; i < divisors.row_length(); ++i) {
        float value;
        std::memcpy(&value, divisors.data.data() + i * sizeof value, sizeof value);
        if (!std::isfinite(value) || value <= 0)
            file.fail(fmt::format("tensor {}: element {} is {}; each must be above 0", quoted(divisors.name),
                                  i, value));
    }
}

} // namespace

void find_llama_weights(const gguf::File& file, LlamaParams& params) {
    Weights weights(file);
    const uint64_t embedding = params.embedding;
    const std::array table{embedding, uint64_t{params.vocabulary}};
    params.token_embedding = weights.required("token_embd.weight", table);
    params.output_norm = weights.vector("output_norm.weight", embedding, true);
    params.head.weight = weights.optional("output.weight", table);
    params.tied = params.head.weight == nullptr;
    if (params.tied) params.head.weight = params.token_embedding;
    weights.add_bias_and_scale("output", params.vocabulary, params.head);

    params.rope.divisors = weights.f32_vector("rope_freqs.weight", params.rope.dims / 2);
    if (params.rope.divisors != nullptr) check_divisors(file, *params.rope.divisors);

    for (size_t i = 0; i < params.layers.size(); ++i) {
        LlamaLayer& layer = params.layers[i];
        const std::string blk = fmt::format("blk.{}.", i);
        const uint64_t query = uint64_t{layer.heads} * params.head_dim;
        const uint64_t key = uint64_t{layer.kv_heads} * params.head_dim;
        layer.attn_norm = weights.vector(blk + "attn_norm.weight", embedding, true);
        layer.q = weights.projection(blk + "attn_q", embedding, query);
        layer.k = weights.projection(blk + "attn_k", embedding, key);
        layer.v = weights.projection(blk + "attn_v", embedding, key);
        layer.output = weights.projection(blk + "attn_output", query, embedding);
        layer.ffn_norm = weights.vector(blk + "ffn_norm.weight", embedding, true);
        layer.gate = weights.projection(blk + "ffn_gate", embedding, layer.ffn);
        layer.up = weights.projection(blk + "ffn_up", embedding, layer.ffn);
        layer.down = weights.projection(blk + "ffn_down", layer.ffn, embedding);
    }
    for (std::string& warning : weights.unused(static_cast<uint32_t>(params.layers.size())))
        params.warnings.push_back(std::move(warning));
}

} // namespace ingot::frontend
