// Runs one compiled host kernel on this machine, outside of any plan: for verification and tests.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "codegen/kernel_compiler.h"
#include "codegen/kernel_source.h"
#include "ir/graph.h"
#include "ir/tensor.h"

namespace ingot::codegen {

struct HostRun {
    std::vector<ir::Tensor>
        inputs; // one a param of the body, in `rows` layout; q8a as the target's quantize makes it
    std::map<std::string, int64_t, std::less<>> symbols;
    unsigned threads = 2;
};

// The results of the body in `rows` layout; a cache that is appended to is a result too. Memory of results is
// filled with NaN before, and what lies behind every buffer is checked after: a write past a buffer is an
// ir::Error, as is an object that can't be loaded.
std::vector<ir::Tensor> run_host_kernel(const CompiledKernel& kernel, const KernelSource& source,
                                        const ir::Graph& body, const HostRun& run);

} // namespace ingot::codegen
