// Runs single kernels on any device, outside of a plan.
#pragma once

#include <memory>

#include "codegen/kernel_run.h"
#include "codegen/targets.h"
#include "runtime/device.h"

namespace ingot::tools {

// A codegen::RunKernel for kernels of `target`, which the device must run.
codegen::RunKernel kernel_runner(std::shared_ptr<runtime::Device> device, const codegen::Target& target);

} // namespace ingot::tools
