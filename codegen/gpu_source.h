// A fused node's body → the HIP C++ source of its kernel for a GPU target.
#pragma once

#include <string_view>

#include "codegen/kernel_source.h"
#include "ir/graph.h"

namespace ingot::codegen {

// As kernel_source. The kernel is `ingot_kernel(operands..., symbols...)`: a pointer for each operand in the
// plan's order, then an int for each symbol of the graph.
KernelSource gpu_kernel_source(const Target& target, const ir::Graph& body, std::string_view node_name);

} // namespace ingot::codegen
