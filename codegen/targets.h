// The machines that kernels can be compiled for (targets.def).
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace ingot::codegen {

enum class Compiler : uint8_t { llvm };

struct Target {
    std::string_view name;
    Compiler compiler;
    std::string_view flags;    // as the row has them
    std::string_view features; // likewise
    std::string_view row;      // the whole row as text; part of every kernel key
};

std::span<const Target> all_targets();

// Throws ir::Error that lists the targets if there is none of that name.
const Target& target_from_name(std::string_view name);

// The best target that this machine runs. Throws ir::Error naming the missing features if there is none.
const Target& machine_target();
bool machine_runs(const Target& target);

// The compiler's whole command line for a target.
std::vector<std::string> compiler_flags(const Target& target);

} // namespace ingot::codegen
