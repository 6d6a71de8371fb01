#include "tools/bench/gpu_limits.h"

#include <algorithm>
#include <array>
#include <chrono>
#include <cstring>

#include <fmt/format.h>

#include "runtime/error.h"

namespace ingot::tools {

namespace {

using Clock = std::chrono::steady_clock;

constexpr uint32_t threads = 256;
constexpr uint64_t most_bytes = uint64_t{1} << 30, least_bytes = uint64_t{64} << 20;
constexpr int32_t rounds = 4096;
constexpr uint64_t out_bytes = 4096;

struct Probe {
    const char* name;
    const char* parameters;
    const char* call;
    uint32_t shared_bytes;
    uint32_t groups_per_unit; // as many as keep a unit busy
};
constexpr Probe reading{"read", "const u8* data, u8* out, int words",
                        "read_once<{0}>(data, reinterpret_cast<u32*>(out), words)", 0, 8};
constexpr Probe multiplying{"multiply", "u8* out, int rounds",
                            "multiply_matrices<{0}>(reinterpret_cast<u32*>(out), rounds)",
                            2048 + threads / 32 * 1024, 4};
constexpr Probe multiplying_panels{"multiply", "u8* out, int rounds",
                                   "multiply_panels<{0}>(reinterpret_cast<u32*>(out), rounds)",
                                   1024 + 128 * 128, 4};

codegen::NamedSource source_of(const Probe& probe, uint32_t units) {
    codegen::KernelSource source;
    source.text = fmt::format("#include \"gpu/probe.h\"\n\nusing namespace ingot_gpu;\n\n"
                              "INGOT_KERNEL({0}, 1) void {1}({2}) {{\n    {3};\n}}\n",
                              threads, codegen::kernel_symbol, probe.parameters,
                              fmt::format(fmt::runtime(probe.call), threads));
    source.geometry = runtime::LaunchGeometry{.threads = threads, .shared_bytes = probe.shared_bytes};
    source.geometry->grid[0].count = probe.groups_per_unit * units;
    return {.name = fmt::format("probe of the device: {}", probe.name), .source = std::move(source)};
}

// Less of it where the card is full.
std::unique_ptr<runtime::Memory> memory_to_read(runtime::Device& device) {
    for (uint64_t bytes = most_bytes;; bytes /= 2) {
        try {
            return device.allocate(runtime::Pool::weights, bytes);
        } catch (const runtime::Error& e) {
            if (e.code() != runtime::Code::out_of_memory || bytes <= least_bytes) throw;
        }
    }
}

// One kernel, made ready.
class Timed {
  public:
    Timed(runtime::Device& device, const codegen::CompiledKernel& kernel, const codegen::KernelSource& source,
          const runtime::Arenas& arenas, const std::vector<runtime::OperandRef>& operands)
        : module_(device.load_code(std::as_bytes(std::span(kernel.object)), kernel.name)),
          queue_(device.open_queue({})) {
        list_ = queue_->prepare({.name = kernel.name,
                                 .dims = 1,
                                 .launches = {{.module = module_.get(),
                                               .symbol = kernel.symbol,
                                               .name = kernel.name,
                                               .operands = operands,
                                               .weights = {},
                                               .geometry = source.geometry}},
                                 .arenas = arenas});
    }

    // Of one run, the best of several; a few runs follow each other, so that starting the first counts
    // little.
    double seconds(int32_t symbol) {
        constexpr int at_once = 4, times = 6;
        double best = 0;
        for (int i = 0; i < times; ++i) {
            const auto start = Clock::now();
            for (int j = 0; j < at_once; ++j)
                queue_->run(*list_, std::array{symbol});
            queue_->synchronize();
            const double passed = std::chrono::duration<double>(Clock::now() - start).count() / at_once;
            if (i == 1 || (i > 1 && passed < best)) best = passed; // the first warms up
        }
        return best;
    }
    uint32_t read_word(runtime::Memory& memory) {
        uint32_t word = 0;
        queue_->read(memory, 0, std::as_writable_bytes(std::span(&word, 1)));
        return word;
    }

  private:
    std::unique_ptr<runtime::Module> module_;
    std::unique_ptr<runtime::Queue> queue_;
    std::unique_ptr<runtime::CommandList> list_;
};

} // namespace

MachineLimits measure_gpu(runtime::Device& device, codegen::KernelCompiler& compiler) {
    const uint32_t units = device.info().cores;
    const codegen::Matrix matrix = compiler.target().gpu->matrix;
    const Probe& products = matrix == codegen::Matrix::wgmma_sm90 ? multiplying_panels : multiplying;
    const std::array sources = {source_of(reading, units), source_of(products, units)};
    const codegen::CompiledKernels compiled = compiler.compile_sources(sources);
    const auto out = device.allocate(runtime::Pool::io, out_bytes);
    const runtime::OperandRef data_operand{.pool = runtime::Pool::weights},
        out_operand{.pool = runtime::Pool::io};
    runtime::Arenas arenas = {};
    arenas[static_cast<size_t>(runtime::Pool::io)] = out.get();
    MachineLimits limits;
    {
        const auto data = memory_to_read(device);
        arenas[static_cast<size_t>(runtime::Pool::weights)] = data.get();
        Timed read(device, compiled.kernels[compiled.kernel_of[0]], sources[0].source, arenas,
                   {data_operand, out_operand});
        limits.read_bytes_per_second =
            static_cast<double>(data->bytes()) / read.seconds(static_cast<int32_t>(data->bytes() / 16));
    }
    Timed multiply(device, compiled.kernels[compiled.kernel_of[1]], sources[1].source, arenas, {out_operand});
    const double seconds = multiply.seconds(rounds);
    const double of_group = multiply.read_word(*out);
    limits.ops_per_second = of_group * rounds * products.groups_per_unit * units / seconds;
    limits.instructions =
        matrix == codegen::Matrix::none ? "f16 dot products of two" : "f16 on matrix instructions";
    return limits;
}

} // namespace ingot::tools
