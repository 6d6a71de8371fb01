// Everything that the llama family's graph is built from, read from a GGUF file and checked.
#pragma once

#include "frontend/gguf/reader.h"

#include <cstdint>
#include <string>
#include <vector>

namespace ingot::frontend {

enum class RopeScaling {
    none,
    linear, // every angle divided by `factor`
    llama3, // low frequencies divided by `factor`, high ones kept, those between blended
};

// Rotary position embedding (Su et al., arXiv 2104.09864). The llama family turns neighbours: elements 2i and
// 2i+1 of a head, i < dims / 2, by position * base^(-2i / dims) / scale_i, and leaves the rest of the head.
struct Rope {
    uint32_t dims = 0; // even, 2 to head_dim
    float base = 10000;
    RopeScaling scaling = RopeScaling::none;
    float factor = 1;           // linear, llama3; > 0
    float low_freq_factor = 1;  // llama3, with the next two (Llama 3.1's config.json has these names)
    float high_freq_factor = 4; // > low_freq_factor
    uint32_t original_context = 8192;
    float magnitude = 1; // both sine and cosine are multiplied by it
    const gguf::TensorInfo* divisors =
        nullptr; // rope_freqs.weight: dims / 2 f32, scale_i is multiplied by them
};

// y = (weight x) * scale + bias; what is absent is null.
struct Projection {
    const gguf::TensorInfo* weight = nullptr; // dims [inputs, outputs], any type that runs
    const gguf::TensorInfo* bias = nullptr;   // [outputs], f32, f16 or bf16
    const gguf::TensorInfo* scale = nullptr;  // [1], f32
};

struct LlamaLayer {
    uint32_t heads = 0;
    uint32_t kv_heads = 0; // divides heads
    uint32_t ffn = 0;
    const gguf::TensorInfo* attn_norm = nullptr; // [embedding], f32, f16 or bf16
    const gguf::TensorInfo* ffn_norm = nullptr;  // likewise
    Projection q{}, k{}, v{}, output{};
    Projection gate{}, up{}, down{};
};

// Pointers are into the File, which must outlive this (it may be moved).
struct LlamaParams {
    uint32_t vocabulary = 0;
    uint32_t context_length = 0; // that it was trained for
    uint32_t embedding = 0;
    uint32_t head_dim = 0; // of queries, keys and values; a multiple of 8, 32 to 256
    float rms_epsilon = 0;
    float attention_scale = 0; // scores are multiplied by it: 1/sqrt(head_dim) unless the file has another
    Rope rope;
    const gguf::TensorInfo* token_embedding = nullptr; // [embedding, vocabulary]
    const gguf::TensorInfo* output_norm = nullptr;     // [embedding]
    Projection head;                                   // its weight is token_embedding where tied
    bool tied = false;
    std::vector<LlamaLayer> layers;
    std::vector<std::string> warnings; // one line each: tensors and keys that are there but not used
};

// ir::Error, one line that names file and key or tensor, for: another architecture; a missing key or one of
// another type; sizes out of range (a block count of 0, or of more layers than there are tensors for, before
// anything is allocated for them); head counts that do not divide; an own head size for values; experts,
// other rope scalings and tensors that would change the result but that this family does not have; a missing
// tensor, one of other dims than the sizes say, or of a type that does not run; what vocabulary_size refuses.
LlamaParams read_llama_params(const gguf::File& file);

} // namespace ingot::frontend
