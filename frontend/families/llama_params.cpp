#include "frontend/families/llama_params.h"

#include "frontend/families/llama_weights.h"
#include "frontend/gguf/text.h"
#include "frontend/vocabulary.h"

#include <algorithm>
#include <cmath>
#include <string_view>

#include <fmt/format.h>

namespace ingot::frontend {
namespace {

using gguf::File;
using gguf::quoted;

constexpr uint32_t tensors_per_layer = 9; // two norms and seven projections, the least that a layer has
constexpr uint32_t max_size = 1u << 24;   // of embedding, FFN and heads together; no model comes near

std::string key(std::string_view name) {
    return fmt::format("llama.{}", name);
}

uint32_t read_size(const File& file, std::string_view name, uint32_t least, uint32_t most) {
    const auto size = file.require<uint32_t>(key(name));
    if (size < least || size > most)
        file.fail(fmt::format("key '{}' is {}; it must be {} to {}", key(name), size, least, most));
    return size;
}

// A finite number above 0, or `absent`.
float read_positive(const File& file, std::string_view name, float absent) {
    const float value = file.get<float>(key(name)).value_or(absent);
    if (!std::isfinite(value) || value <= 0)
        file.fail(fmt::format("key '{}' is {}; it must be a number above 0", key(name), value));
    return value;
}

// One size a layer: a scalar holds for all, an array names each.
std::vector<uint32_t> read_per_layer(const File& file, std::string_view name, size_t layers) {
    const std::string full = key(name);
    const gguf::Value* value = file.find(full);
    if (value == nullptr) file.fail_absent(full, "an integer, or an array of one a layer");
    const auto sizes = value->type == gguf::Type::array ? file.require<std::vector<uint32_t>>(full)
                                                        : std::vector(layers, file.require<uint32_t>(full));
    if (sizes.size() != layers)
        file.fail(fmt::format("key '{}' has {} entries for {} layers", full, sizes.size(), layers));
    for (size_t i = 0; i < layers; ++i)
        if (sizes[i] == 0 || sizes[i] > max_size)
            file.fail(
                fmt::format("key '{}' is {} for layer {}; it must be 1 to {}", full, sizes[i], i, max_size));
    return sizes;
}

void refuse_other_models(const File& file) {
    const auto architecture = file.require<std::string_view>("general.architecture");
    if (architecture != "llama")
        file.fail(
            fmt::format("the model's architecture is {}; this build knows 'llama'", quoted(architecture)));
    if (const auto parts = file.get<uint32_t>("split.count").value_or(1); parts > 1)
        file.fail(fmt::format("is one of {} parts of a model; merge them into one file first", parts));
    // 0 switches each of these off, and so do writers that list every key they know.
    for (const std::string_view name : {"expert_count", "nextn_predict_layers"})
        if (const auto value = file.get<uint32_t>(key(name)).value_or(0); value != 0)
            file.fail(
                fmt::format("key '{}' is {}, but this build runs only dense llama models", key(name), value));
    if (!file.get<bool>(key("attention.causal")).value_or(true))
        file.fail(fmt::format("key '{}' is false, but this build runs only causal models",
                              key("attention.causal")));
}

uint32_t read_layer_count(const File& file) {
    const auto layers = file.require<uint32_t>(key("block_count"));
    if (file.tensors().empty()) file.fail("holds no tensors; it is a vocabulary without a model");
    // Judged by what is there before anything is allocated for that many layers.
    if (layers == 0 || layers > file.tensors().size() / tensors_per_layer)
        file.fail(fmt::format("key '{}' is {}; the file's {} tensors, {} a layer at least, make it 1 to {}",
                              key("block_count"), layers, file.tensors().size(), tensors_per_layer,
                              std::max<size_t>(file.tensors().size() / tensors_per_layer, 1)));
    return layers;
}

void read_layers(const File& file, LlamaParams& params) {
    const uint32_t count = read_layer_count(file);
    const auto heads = read_per_layer(file, "attention.head_count", count);
    const bool grouped = file.find(key("attention.head_count_kv")) != nullptr;
    const auto kv_heads = grouped ? read_per_layer(file, "attention.head_count_kv", count) : heads;
    const auto ffn = read_per_layer(file, "feed_forward_length", count);
    params.layers.resize(count);
    for (uint32_t i = 0; i < count; ++i) {
        if (heads[i] % kv_heads[i] != 0)
            file.fail(fmt::format(
                "layer {} has {} query heads, not a multiple of its {} key/value heads (keys '{}', "
                "'{}')",
                i, heads[i], kv_heads[i], key("attention.head_count"), key("attention.head_count_kv")));
        params.layers[i] = {.heads = heads[i], .kv_heads = kv_heads[i], .ffn = ffn[i]};
    }
}

void read_head_size(const File& file, LlamaParams& params) {
    const auto keys = file.get<uint32_t>(key("attention.key_length"));
    const auto values = file.get<uint32_t>(key("attention.value_length"));
    const uint32_t heads = params.layers.front().heads;
    if (!keys && params.embedding % heads != 0)
        file.fail(
            fmt::format("an embedding of {} does not divide into {} heads, and key '{}' gives no head size",
                        params.embedding, heads, key("attention.key_length")));
    params.head_dim = keys ? *keys : params.embedding / heads;
    if (values.value_or(params.head_dim) != params.head_dim)
        file.fail(fmt::format("key '{}' is {}, but the size of a key is {}; this build needs them equal",
                              key("attention.value_length"), *values, params.head_dim));
    if (params.head_dim < 32 || params.head_dim > 256 || params.head_dim % 8 != 0)
        file.fail(fmt::format(
            "the head size is {} (key '{}', else embedding / heads); this build runs multiples of "
            "8 of 32 to 256",
            params.head_dim, key("attention.key_length")));
    for (const LlamaLayer& layer : params.layers)
        if (uint64_t{layer.heads} * params.head_dim > max_size)
            file.fail(fmt::format("{} heads of {} are more than {} together", layer.heads, params.head_dim,
                                  max_size));

    const float scale = file.get<float>(key("attention.scale")).value_or(0);
    if (!std::isfinite(scale)) file.fail(fmt::format("key '{}' is {}", key("attention.scale"), scale));
    params.attention_scale = scale != 0 ? scale : 1 / std::sqrt(static_cast<float>(params.head_dim));
}

RopeScaling read_scaling_type(const File& file) {
    // Absent means linear, whose factor is 1 where it is absent too.
    const auto type = file.get<std::string_view>(key("rope.scaling.type")).value_or("linear");
    if (type == "none") return RopeScaling::none;
    if (type == "linear") return RopeScaling::linear;
    if (type == "llama3") return RopeScaling::llama3;
    file.fail(fmt::format("key '{}' is {}; this build knows none, linear and llama3",
                          key("rope.scaling.type"), quoted(type)));
}

float read_scaling_factor(const File& file) {
    auto factor = file.get<float>(key("rope.scaling.factor"));
    if (!factor) factor = file.get<float>(key("rope.scale_linear")); // its name in older files
    if (!factor || *factor == 0) return 1;                           // 0 stands for "not scaled"
    if (!std::isfinite(*factor) || *factor < 0)
        file.fail(
            fmt::format("key '{}' is {}; it must be a number above 0", key("rope.scaling.factor"), *factor));
    return *factor;
}

void read_rope(const File& file, LlamaParams& params) {
    Rope& rope = params.rope;
    rope.dims = file.get<uint32_t>(key("rope.dimension_count")).value_or(params.head_dim);
    if (rope.dims < 2 || rope.dims > params.head_dim || rope.dims % 2 != 0)
        file.fail(fmt::format("key '{}' is {}; it must be even and 2 to the head size {}",
                              key("rope.dimension_count"), rope.dims, params.head_dim));
    rope.base = read_positive(file, "rope.freq_base", rope.base);
    rope.magnitude = read_positive(file, "rope.scaling.attn_factor", rope.magnitude);
    rope.scaling = read_scaling_type(file);
    rope.factor = read_scaling_factor(file);
    if (rope.scaling == RopeScaling::none) rope.factor = 1;
    if (rope.factor == 1) rope.scaling = RopeScaling::none;

    if (rope.scaling != RopeScaling::llama3) return;
    if (file.find_tensor("rope_freqs.weight") != nullptr) {
        // Converters compute the tensor from these very keys; to apply both would scale twice.
        params.warnings.push_back(fmt::format(
            "key '{}' is not used: tensor 'rope_freqs.weight' has its effect", key("rope.scaling.type")));
        rope.scaling = RopeScaling::none;
        rope.factor = 1;
        return;
    }
    rope.low_freq_factor = read_positive(file, "rope.scaling.low_freq_factor", rope.low_freq_factor);
    rope.high_freq_factor = read_positive(file, "rope.scaling.high_freq_factor", rope.high_freq_factor);
    if (rope.high_freq_factor <= rope.low_freq_factor)
        file.fail(fmt::format("key '{}' is {}; it must be above '{}', which is {}",
                              key("rope.scaling.high_freq_factor"), rope.high_freq_factor,
                              key("rope.scaling.low_freq_factor"), rope.low_freq_factor));
    if (file.find(key("rope.scaling.original_context_length")) != nullptr)
        rope.original_context = read_size(file, "rope.scaling.original_context_length", 1, INT32_MAX);
}

} // namespace

LlamaParams read_llama_params(const File& file) {
    refuse_other_models(file);
    LlamaParams params;
    const auto vocabulary = vocabulary_size(file);
    if (!vocabulary)
        file.fail("the vocabulary's size is nowhere: no tokenizer and no tensor 'token_embd.weight'");
    params.vocabulary = *vocabulary;
    params.context_length = read_size(file, "context_length", 1, INT32_MAX);
    params.embedding = read_size(file, "embedding_length", 1, max_size);
    params.rms_epsilon = file.require<float>(key("attention.layer_norm_rms_epsilon"));
    if (!std::isfinite(params.rms_epsilon) || params.rms_epsilon < 0)
        file.fail(fmt::format("key '{}' is {}; it must be 0 or more", key("attention.layer_norm_rms_epsilon"),
                              params.rms_epsilon));
    read_layers(file, params);
    read_head_size(file, params);
    read_rope(file, params);
    find_llama_weights(file, params);
    return params;
}

} // namespace ingot::frontend
