// The description of a plan (runtime/plan.fbs) from what codegen has made.
#pragma once

#include <cstddef>
#include <vector>

#include "codegen/arena_layout.h"
#include "codegen/build_plan.h"

namespace ingot::codegen {

struct PlanText {
    std::vector<std::byte> description; // a finished FlatBuffer
    std::vector<std::byte> code;        // the kernels' objects, each 64-aligned
};

PlanText describe_plan(const BuildInput& input, const BuildOptions& options, const Target& target,
                       const CompiledKernels& kernels, const ArenaLayout& layout);

} // namespace ingot::codegen
