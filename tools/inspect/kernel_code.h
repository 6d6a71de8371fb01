// The machine code of a plan's kernels.
#pragma once

#include <string>

#include "runtime/plan_file.h"

namespace ingot::tools {

// Each kernel's instructions under a line with its name. Throws Failure{failed} where LLVM is missing or
// can't read the code: that of NVIDIA's GPUs.
std::string kernel_code(const runtime::PlanFile& plan);

} // namespace ingot::tools
