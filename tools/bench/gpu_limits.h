// What a card can do at best, as machine_limits.h says it of the host.
#pragma once

#include <memory>

#include "codegen/kernel_compiler.h"
#include "runtime/device.h"
#include "tools/bench/machine_limits.h"

namespace ingot::tools {

// Reads 1 GiB, or what the card has left, and multiplies tiles of f16 by the instructions that the target's
// kernels use (kernels_templates/gpu/probe.h); the best of several times. The device must run the compiler's
// target. Throws ir::Error where the kernels don't compile, runtime::Error where the device fails.
MachineLimits measure_gpu(runtime::Device& device, codegen::KernelCompiler& compiler);

} // namespace ingot::tools
