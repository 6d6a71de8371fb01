// A fused node's body → the source of its kernel, whatever the target.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "codegen/targets.h"
#include "ir/graph.h"
#include "runtime/launch_geometry.h"

namespace ingot::codegen {

// A part of a weights operand that the kernel deals to its threads or workgroups in contiguous shares of
// whole units.
struct StreamedWeights {
    size_t operand = 0;  // index among the node's operands
    uint64_t offset = 0; // bytes from its start
    uint64_t units = 0;
    uint64_t unit_bytes = 0;
};

struct KernelSource {
    std::string text;
    std::vector<StreamedWeights> weights;
    // State that the kernel needs beside its operands, bound behind the results, shared by all kernels of a
    // session: zero before the first call, and left zero by every call (GPU: its first 4096 bytes). 0: none.
    uint64_t workspace_bytes = 0;
    std::optional<runtime::LaunchGeometry> geometry; // GPU targets only
    uint32_t resident_groups =
        1; // workgroups that a compute unit should hold at once, as a hint to compilers
};

// Every kernel exports one function of this name.
inline constexpr std::string_view kernel_symbol = "ingot_kernel";

// The text depends on target and body alone, without names, so equal bodies give equal kernels. Operands are
// bound in the order of the node's operands, then its results, then the workspace. Throws ir::Error naming
// node and op for a body that has no kernel: never a wrong kernel.
KernelSource kernel_source(const Target& target, const ir::Graph& body, std::string_view node_name);

} // namespace ingot::codegen
