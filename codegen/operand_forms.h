// Values as kernels have them in memory, and back.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "codegen/targets.h"
#include "ir/tensor.h"
#include "ir/type.h"

namespace ingot::codegen {

// The tensor, which is in `rows` layout and may be shorter than the type's largest, in the type's layout; as
// many bytes as the type has at most, zeros behind. The host keeps 8-bit activations block by block, GPUs in
// planes (kernels_templates/gpu/activation.h).
std::vector<std::byte> memory_form(const ir::Type& type, const ir::Tensor& tensor,
                                   std::span<const ir::Symbol> symbols, const Target& target);

// The reverse; `dims` are the tensor's. Not for packed weights.
ir::Tensor logical_form(const ir::Type& type, std::vector<int64_t> dims, std::span<const std::byte> memory,
                        std::span<const ir::Symbol> symbols, const Target& target);

} // namespace ingot::codegen
