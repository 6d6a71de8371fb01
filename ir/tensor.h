// Concrete tensors and the weights of a model, as the reference evaluator and codegen see them.
#pragma once

#include <cstddef>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "ir/type.h"

namespace ingot::ir {

// Dims are numbers here; data lies in `rows` layout whatever the graph's type says of layout (the reference
// evaluator computes on logical values and ignores layouts).
struct Tensor {
    Element element = Element::f32;
    std::vector<int64_t> dims;
    std::shared_ptr<std::vector<std::byte>> owned; // null when `data` belongs to someone else (a mapped file)
    std::span<const std::byte> data;

    static Tensor zeros(Element element, std::vector<int64_t> dims);
    static Tensor view(Element element, std::vector<int64_t> dims, std::span<const std::byte> data);
    static Tensor from_floats(std::vector<int64_t> dims, std::span<const float> values);
    static Tensor from_ints(std::vector<int64_t> dims, std::span<const int32_t> values);
    std::span<std::byte> mutable_data(); // copies first if the data is not owned or is shared
    int64_t count() const;
    std::vector<float> to_floats() const; // dequantised
};

// Weights by the name of the graph's param.
using Weights = std::map<std::string, Tensor, std::less<>>;

// Dequantises `count` elements of any runnable type (ggml's block formats, q8a). Sources: ggml's block
// layouts.
void dequantize(Element element, std::span<const std::byte> blocks, std::span<float> out);
// Quantises f32 to q8a blocks by the rule of the `quantize` op.
std::vector<std::byte> quantize_q8a(std::span<const float> values);

} // namespace ingot::ir
