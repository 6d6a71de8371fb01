// A fused node's body → the C++ source of its kernel for a host target.
#pragma once

#include <string_view>

#include "codegen/kernel_source.h"
#include "ir/graph.h"

namespace ingot::codegen {

// Threads that may run a host kernel together: workspaces are laid out for so many.
inline constexpr uint32_t host_max_threads = 256;

// As kernel_source, for the host (runtime/host_abi.h: Kernel). Supported are
//   - products: any number of matmul of inputs that are operands or computed from them by gather_rows,
//   rms_norm,
//     quantize and pointwise ops; behind them slices, pointwise ops, rope, kv_append, quantize, argmax. An
//     input that the kernel computes for several tokens must be a result of the node;
//   - attention, alone or quantised; its workspace may be an operand;
//   - anything of gather_rows, rms_norm, quantize, slice_cols, rope, rope_angles, embed, kv_append, argmax
//   and
//     pointwise ops, row by row.
// Throws ir::Error naming node and op for everything else: never a wrong kernel.
KernelSource host_kernel_source(const ir::Graph& body, std::string_view node_name);

} // namespace ingot::codegen
