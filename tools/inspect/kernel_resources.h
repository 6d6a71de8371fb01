// What the kernels of a GPU's plan take, and how many of them the processor holds at once.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include <nlohmann/json_fwd.hpp>

#include "codegen/occupancy.h"
#include "runtime/plan_file.h"

namespace ingot::tools {

struct KernelUse {
    codegen::KernelResources resources;
    uint32_t threads = 0, dynamic_memory = 0; // as it is launched first
    codegen::Occupancy occupancy;
};

// In the order of the plan's kernels; empty for a plan of the host, or of a target that this build doesn't
// know.
std::vector<KernelUse> kernel_uses(const runtime::PlanFile& plan);

std::string text(const KernelUse& use);
nlohmann::json json_of(const KernelUse& use);

} // namespace ingot::tools
