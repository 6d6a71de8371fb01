#include "codegen/build_plan.h"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <exception>
#include <mutex>
#include <thread>

#include <fmt/format.h>

#include "codegen/arena_layout.h"
#include "codegen/plan_description.h"
#include "ir/error.h"
#include "ir/verify.h"
#include "runtime/plan_writer.h"

namespace ingot::codegen {

using namespace ir;

namespace {

constexpr uint64_t weights_chunk = uint64_t{4} << 20; // whole chunks of the file's checksum (plan_header.h)

void check_top_level(const Graph& g) {
    if (g.phase != Phase::planned)
        throw Error(fmt::format("graph {}", g.name),
                    fmt::format("it is {}; a plan is made of planned graphs", text(g.phase)));
    for (const Node& n : g.nodes)
        if (n.op != Op::fused && n.op != Op::constant && n.op != Op::concat_rows && n.op != Op::pack)
            throw Error(fmt::format("graph {}, node {} ({})", g.name, n.name, info(n.op).name),
                        "it is in no kernel");
}

// Packs the weights on all cores, chunk by chunk.
void produce_weights(runtime::WeightsSink& sink, std::span<const WeightPiece> pieces,
                     const BuildOptions& options) {
    const uint64_t bytes = sink.bytes(), chunks = (bytes + weights_chunk - 1) / weights_chunk;
    std::atomic<uint64_t> next{0};
    std::mutex mutex;
    uint64_t done = 0;
    std::exception_ptr failure;
    const auto work = [&] {
        std::vector<std::byte> buffer;
        for (uint64_t i = next++; i < chunks; i = next++) {
            try {
                const uint64_t begin = i * weights_chunk;
                buffer.resize(std::min(weights_chunk, bytes - begin));
                fill_weights(pieces, begin, buffer);
                sink.write(begin, buffer);
                const std::lock_guard lock(mutex);
                done += buffer.size();
                if (options.progress)
                    options.progress({.stage = BuildProgress::Stage::weights, .done = done, .total = bytes});
            } catch (...) {
                const std::lock_guard lock(mutex);
                if (!failure) failure = std::current_exception();
                next = chunks;
            }
        }
    };
    {
        std::vector<std::jthread> threads;
        for (unsigned i = 1; i < std::max(1U, std::thread::hardware_concurrency()); ++i)
            threads.emplace_back(work);
        work();
    }
    if (failure) std::rethrow_exception(failure);
}

} // namespace

std::vector<KernelSpec> kernel_specs(const Graph& planned) {
    std::vector<KernelSpec> specs;
    for (const Node& n : planned.nodes)
        if (n.op == Op::fused) specs.push_back({.name = n.name, .body = &planned.bodies[n.body]});
    return specs;
}

Graph lower(const Graph& planned, std::span<const std::string> keys) {
    Graph g = planned;
    g.phase = Phase::lowered;
    for (Graph& body : g.bodies)
        body.phase = Phase::lowered;
    size_t next = 0;
    for (Node& n : g.nodes)
        if (n.op == Op::fused) {
            n.op = Op::launch;
            n.attrs = {{"kernel", keys[next++]}};
        }
    verify(g);
    return g;
}

BuildReport build_plan(const BuildInput& input, KernelCompiler& compiler, const std::filesystem::path& path,
                       const BuildOptions& options) {
    std::vector<KernelSpec> specs;
    ArenaLayout layout(*input.weights);
    for (const ProgramInput& p : input.programs) {
        check_top_level(*p.graph);
        layout.add(*p.graph);
        for (KernelSpec& spec : kernel_specs(*p.graph))
            specs.push_back(std::move(spec));
    }
    const CompiledKernels kernels = compiler.compile(specs, [&](size_t done, size_t total) {
        if (options.progress)
            options.progress({.stage = BuildProgress::Stage::kernels, .done = done, .total = total});
    });
    for (const KernelSource& source : kernels.source_of)
        layout.reserve_workspace(source.workspace_bytes);

    const PlanText plan = describe_plan(input, options, compiler.target(), kernels, layout);
    const uint64_t weights_bytes = options.external_weights ? 0 : layout.weights().bytes();
    const auto start = std::chrono::steady_clock::now();
    runtime::write_plan(path, {.description = plan.description,
                               .code = plan.code,
                               .weights_bytes = weights_bytes,
                               .produce_weights =
                                   [&](runtime::WeightsSink& sink) {
                                       produce_weights(sink, layout.weights().pieces(), options);
                                   },
                               .durable = options.durable});
    return {
        .kernels = kernels.kernels.size(),
        .compiled = static_cast<size_t>(std::count_if(kernels.kernels.begin(), kernels.kernels.end(),
                                                      [](const CompiledKernel& k) { return !k.from_cache; })),
        .code_bytes = plan.code.size(),
        .weights_bytes = layout.weights().bytes(),
        .state_bytes = layout.state_bytes(),
        .transient_bytes = layout.transient_bytes(),
        .io_bytes = layout.io_bytes(),
        .kernel_seconds = kernels.seconds,
        .weight_seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count()};
}

} // namespace ingot::codegen
