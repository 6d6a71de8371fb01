// Runs compiled host kernels on this machine.
#pragma once

#include "codegen/kernel_run.h"

namespace ingot::codegen {

// A RunKernel.
std::vector<ir::Tensor> run_host_kernel(const CompiledKernel& kernel, const KernelSource& source,
                                        const ir::Graph& body, const KernelRun& run);

} // namespace ingot::codegen
