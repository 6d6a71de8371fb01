// A fused node's body → the C++ source of its kernel for a host target.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "ir/graph.h"

namespace ingot::codegen {

// A part of a weights operand that the kernel deals to its threads in contiguous shares of whole units.
struct StreamedWeights {
    size_t operand = 0;  // index among the node's operands
    uint64_t offset = 0; // bytes from its start
    uint64_t units = 0;
    uint64_t unit_bytes = 0;
};

struct HostSource {
    std::string text;
    std::vector<StreamedWeights> weights;
    // State that the kernel needs beside its operands, bound behind the results: zero before the first call,
    // left zero by every call, so that all kernels of a session may share it. 0: none.
    uint64_t workspace_bytes = 0;
};

// Threads that may run a host kernel together: workspaces are laid out for so many.
inline constexpr uint32_t host_max_threads = 256;

// Every kernel exports one function of this name (runtime/host_abi.h: Kernel).
inline constexpr std::string_view host_kernel_symbol = "ingot_kernel";

// The text depends on the body alone, without names, so equal bodies give equal kernels. Operands are bound
// in the order of the node's operands, then its results. Supported are
//   - products: any number of matmul of inputs that are operands or computed from them by gather_rows,
//   rms_norm,
//     quantize and pointwise ops; behind them slices, pointwise ops, rope, kv_append, quantize, argmax. An
//     input that the kernel computes for several tokens must be a result of the node;
//   - attention, alone or quantised; its workspace may be an operand;
//   - anything of gather_rows, rms_norm, quantize, slice_cols, rope, rope_angles, embed, kv_append, argmax
//   and
//     pointwise ops, row by row.
// Throws ir::Error naming node and op for everything else: never a wrong kernel.
HostSource host_kernel_source(const ir::Graph& body, std::string_view node_name);

} // namespace ingot::codegen
