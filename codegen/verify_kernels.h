// Every kernel against the reference evaluator, on random inputs: what `ingot verify` prints.
#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <vector>

#include "codegen/kernel_compiler.h"
#include "codegen/kernel_run.h"

namespace ingot::codegen {

struct VerifyOptions {
    uint64_t seed = 1;
    unsigned threads = 2;
    // Values of the symbols, one run for each; those outside of a symbol's bounds are clamped into them. Odd
    // ones leave partial tiles.
    std::vector<int64_t> sizes = {1, 5, 37};
    // Code to run instead of what the compiler makes, one a spec: that of a plan. Empty: the compiler's.
    std::vector<std::string> objects = {};
    RunKernel run = {}; // unset: on this host
};

// One result of one run. The error is |out - reference|^2 / |reference|^2, 0 where both are zero; NaN
// anywhere gives infinity. For ids it is the share of rows that differ.
struct KernelCheck {
    std::string kernel; // name of the first node that uses it
    std::string key;
    std::string result; // its type, as IR text
    int64_t size = 0;   // value of the symbols
    double nmse = 0;
    bool quantized = false; // it works on 8-bit activations, where a rounding may fall to either side
};

// Compiles and checks each distinct kernel of the specs, in their order; `report` gets each check as it is
// made. Throws ir::Error where a kernel can't be compiled, loaded, or writes where it should not.
std::vector<KernelCheck> verify_kernels(KernelCompiler& compiler, std::span<const KernelSpec> specs,
                                        const VerifyOptions& options = {},
                                        const std::function<void(const KernelCheck&)>& report = {});

} // namespace ingot::codegen
