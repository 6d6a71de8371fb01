// Tiny GPU kernels and the compilers to try them on.
#pragma once

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

#include "codegen/choose_compiler.h"

namespace ingot::codegen::test {

struct GpuCase {
    const Target* target;
    Compiler compiler;
};

// Each GPU target with each of its compilers, whether installed or not.
std::vector<GpuCase> gpu_cases();
std::string case_name(const testing::TestParamInfo<GpuCase>& test);
void PrintTo(const GpuCase& c, std::ostream* out); // for GoogleTest

// Of a source with KERNEL, DEVICE, SHARED, THREADS(n) and LANE for either dialect.
CompileRequest gpu_request(const GpuCase& c, const std::string& source, Emit emit = Emit::object);

// Skips, saying what is lacking, where a compiler isn't installed or doesn't know the target.
class GpuCompilers : public testing::TestWithParam<GpuCase> {
  protected:
    void SetUp() override;
    std::string compile(const std::string& source, Emit emit = Emit::object);
    // Instructions: what the object holds, by LLVM; of NVIDIA's, PTX.
    std::string listing(const std::string& source);

    const Target& target = *GetParam().target;
    std::unique_ptr<WorkerPool> pool;
};

} // namespace ingot::codegen::test
