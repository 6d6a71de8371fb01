// Times the host kernels of a model, each beside the limit that binds it on this machine, which is measured
// in the same run: bytes of weights for one token, integer operations for many.
//
//   bench_host_kernels --model FILE.gguf [--target T] [--threads N] [--prompt N] [--position N] [benchmark
//   flags]
//
// Counters are of the fastest iteration, because other work on the machine can only slow one down.
#include <algorithm>
#include <chrono>
#include <string>
#include <thread>
#include <vector>

#include <CLI/CLI.hpp>
#include <benchmark/benchmark.h>
#include <fmt/format.h>

#include "tests/bench/model_steps.h"
#include "tools/bench/machine_limits.h"

namespace ingot::bench {
namespace {

// Until the threads of a team have stopped watching for work (runtime::QueueOptions).
constexpr auto idle = std::chrono::milliseconds(2);

struct Options {
    StepOptions step;
    std::string target;
    int64_t prompt = 512;  // tokens of a prefill step
    int64_t position = 64; // of the token of a decode step
    int64_t steps = 20;    // timed of each
};

struct Work {
    uint64_t bytes = 0;
    uint64_t operations = 0;
};

Work work_of(const KernelUse& use, int64_t tokens) {
    return {.bytes = use.weight_bytes, .operations = 2 * use.weight_elements * static_cast<uint64_t>(tokens)};
}

double median(std::vector<double> values) {
    const auto middle = values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2);
    std::nth_element(values.begin(), middle, values.end());
    return *middle;
}

// One iteration is a step; `seconds` runs it and returns the time of the part that counts. The limit that
// binds the work is measured before every step, and the share of it is the median of their ratios.
template <class F>
void measure(benchmark::State& state, const Work& work, bool streams, tools::MachineProbe& limits,
             const F& seconds) {
    double least = 0;
    std::vector<double> shares;
    const auto amount = static_cast<double>(streams ? work.bytes : work.operations);
    for (auto _ : state) {
        const double limit = streams ? limits.read_bandwidth() : limits.int8_rate();
        const double taken = seconds();
        state.SetIterationTime(taken);
        shares.push_back(amount / taken / limit);
        least = least == 0 ? taken : std::min(least, taken);
        std::this_thread::sleep_for(idle);
    }
    state.counters["min_us"] = least * 1e6;
    if (work.bytes == 0) return;
    state.counters[streams ? "GB/s" : "GOPS"] = amount / least / 1e9;
    state.counters["of_limit"] = median(shares);
}

// Without a pause or a measurement between the iterations.
template <class F>
double least_time(benchmark::State& state, const F& seconds) {
    double least = 0;
    for (auto _ : state) {
        const double taken = seconds();
        state.SetIterationTime(taken);
        least = least == 0 ? taken : std::min(least, taken);
    }
    state.counters["min_us"] = least * 1e6;
    return least;
}

void add_benchmarks(ModelSteps& steps, const Options& options, tools::MachineProbe& limits) {
    for (const StepProgram& program : steps.programs()) {
        const int64_t tokens = program.name == "prefill" ? options.prompt : 1;
        const int64_t position = program.name == "decode" ? options.position : 0;
        const bool streams = tokens == 1;
        Work all;
        for (const KernelUse& use : program.kernels) {
            const Work w = work_of(use, tokens);
            all.bytes += w.bytes;
            all.operations += w.operations;
        }
        const auto add = [&](const std::string& name, const auto& body) {
            benchmark::RegisterBenchmark(name.c_str(), body)
                ->UseManualTime()
                ->Iterations(options.steps)
                ->Unit(benchmark::kMicrosecond);
        };
        add(program.name, [&, all, tokens, position, streams](benchmark::State& state) {
            steps.enter(position, tokens);
            measure(state, all, streams, limits, [&] { return steps.run(program); });
        });
        // The same without a pause or a measurement between, as tokens follow each other.
        add(program.name + "/repeated", [&, tokens, position](benchmark::State& state) {
            steps.enter(position, tokens);
            const double least = least_time(state, [&] { return steps.run(program); });
            state.counters["tok/s"] = static_cast<double>(tokens) / least;
        });
        for (size_t i = 0; i < program.kernels.size(); ++i)
            add(program.name + "/" + program.kernels[i].name,
                [&, i, tokens, position, streams](benchmark::State& state) {
                    steps.enter(position, tokens);
                    measure(state, work_of(program.kernels[i], tokens), streams, limits,
                            [&] { return steps.run_by_kernel(program)[i]; });
                });
        for (size_t i = 0; i < program.kernels.size(); ++i)
            add(program.name + "/" + program.kernels[i].name + "/cached",
                [&, i, tokens, position](benchmark::State& state) {
                    steps.enter(position, tokens);
                    least_time(state, [&] { return steps.run_again(program, i); });
                });
    }
}

int run(Options& options) {
    options.step.target =
        options.target.empty() ? codegen::machine_target() : codegen::target_from_name(options.target);
    ModelSteps steps(options.step);
    uint64_t bytes = 0;
    for (const KernelUse& use : steps.programs()[0].kernels)
        bytes += use.weight_bytes;
    tools::MachineProbe limits(options.step.threads, options.step.target.name, bytes);
    double bandwidth = 0, rate = 0;
    for (int i = 0; i < 200; ++i) {
        bandwidth = std::max(bandwidth, limits.read_bandwidth());
        rate = std::max(rate, limits.int8_rate());
    }
    fmt::print("{}, {} threads: reads a step's {:.1f} MB at {:.1f} GB/s, {:.0f} GOPS; compiled in {:.2f} s, "
               "packed in "
               "{:.2f} s\n",
               options.step.target.name, options.step.threads, static_cast<double>(bytes) / 1e6,
               bandwidth / 1e9, rate / 1e9, steps.kernel_seconds(), steps.weight_seconds());
    add_benchmarks(steps, options, limits);
    benchmark::RunSpecifiedBenchmarks();
    benchmark::ClearRegisteredBenchmarks(); // they refer to what ends here
    return 0;
}

} // namespace
} // namespace ingot::bench

int main(int argc, char** argv) {
    using namespace ingot;
    benchmark::Initialize(&argc, argv); // takes its own flags out
    bench::Options options;
    CLI::App app("times the host kernels of a model");
    app.add_option("--model", options.step.model, "GGUF file")->required();
    app.add_option("--target", options.target, "row of codegen/targets.def; the machine's if not given");
    app.add_option("--threads", options.step.threads);
    app.add_option("--prompt", options.prompt, "tokens of a prefill step")->check(CLI::Range(2, 512));
    app.add_option("--position", options.position, "of the token of a decode step")
        ->check(CLI::Range(0, 1023));
    app.add_option("--steps", options.steps, "timed for every line")->check(CLI::Range(1, 100000));
    CLI11_PARSE(app, argc, argv);
    try {
        return bench::run(options);
    } catch (const std::exception& error) {
        fmt::print(stderr, "bench_host_kernels: {}\n", error.what());
        return 1;
    }
}
