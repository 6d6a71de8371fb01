// A model's steps, kernel by kernel: what tests/bench times.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "codegen/targets.h"
#include "runtime/session_programs.h"

namespace ingot::bench {

// A kernel of a program, summed over the layers that it serves.
struct KernelUse {
    std::string name;
    uint64_t launches = 0;
    uint64_t weight_bytes = 0;    // read a step
    uint64_t weight_elements = 0; // multiplied by every token
};

struct StepProgram {
    std::string name; // "decode", "prefill", "head"
    std::vector<KernelUse> kernels;
    std::unique_ptr<runtime::CommandList> all;
    std::vector<std::unique_ptr<runtime::CommandList>> launches; // each alone
    std::vector<size_t> kernel_of;                               // by launch
};

struct StepOptions {
    std::filesystem::path model;
    codegen::Target target;
    unsigned threads = 2;
    int64_t context = 1024;
};

class ModelSteps {
  public:
    // Compiles the model, without a cache, to a plan that is gone again with this object.
    explicit ModelSteps(const StepOptions& options);
    ~ModelSteps();

    const std::vector<StepProgram>& programs() const { return programs_; }
    double kernel_seconds() const { return kernel_seconds_; } // of compiling
    double weight_seconds() const { return weight_seconds_; } // of packing

    // The next steps are of `tokens` tokens of one sequence, from `position` on.
    void enter(int64_t position, int64_t tokens);
    // Runs a whole step; seconds.
    double run(const StepProgram& program);
    // Runs it launch by launch: seconds by kernel.
    std::vector<double> run_by_kernel(const StepProgram& program);
    // Runs the first launch of a kernel twice and times the second time, when caches hold what it reads.
    double run_again(const StepProgram& program, size_t kernel);

  private:
    std::span<const int32_t> dims_of(const StepProgram& program) const;
    void wake(); // the threads, so that waking them is in no timing

    std::filesystem::path folder_;
    std::shared_ptr<const runtime::LoadedPlan> plan_;
    runtime::SessionShape shape_;
    std::unique_ptr<runtime::Memory> state_, transient_, io_;
    std::unique_ptr<runtime::Queue> queue_;
    std::vector<StepProgram> programs_;
    int32_t tokens_ = 1;
    double kernel_seconds_ = 0, weight_seconds_ = 0;
};

} // namespace ingot::bench
