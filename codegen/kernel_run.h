// One run of one compiled kernel outside of any plan: for verification and tests.
#pragma once

#include <functional>
#include <map>
#include <string>
#include <vector>

#include "codegen/kernel_compiler.h"
#include "codegen/kernel_source.h"
#include "ir/graph.h"
#include "ir/tensor.h"

namespace ingot::codegen {

struct KernelRun {
    // One a param of the body, in `rows` layout; q8a as the target's quantize makes it.
    std::vector<ir::Tensor> inputs;
    std::map<std::string, int64_t, std::less<>> symbols;
    unsigned threads = 2; // of the host
};

// The results of the body in `rows` layout; a cache that is appended to is a result too. Memory of results is
// filled with NaN before, and what lies behind every buffer is checked after: a write past a buffer is an
// ir::Error, as is an object that can't be loaded.
using RunKernel = std::function<std::vector<ir::Tensor>(
    const CompiledKernel& kernel, const KernelSource& source, const ir::Graph& body, const KernelRun& run)>;

// For every result of a body: the index of its memory among the body's params and, behind them, its results.
// A cache is changed in its place among the params.
std::vector<size_t> memory_of_results(const ir::Graph& body);

// The dims of a value with these values of the symbols.
std::vector<int64_t> dims_of(const ir::Type& type, std::span<const int32_t> symbols);

} // namespace ingot::codegen
