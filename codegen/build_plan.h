// From planned graphs to a plan file: kernels compiled, weights packed, everything placed in its arena.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "codegen/kernel_compiler.h"
#include "ir/graph.h"
#include "ir/tensor.h"
#include "runtime/text/vocabulary.h"

namespace ingot::codegen {

// One compiled program of the plan. The graph is in phase `planned`: its top level has nothing but constant,
// concat_rows, pack and fused nodes.
struct ProgramInput {
    const ir::Graph* graph = nullptr;
    uint64_t peak_transient = 0, lower_bound_transient = 0; // as the memory planner reports them
};

// What a plan says of its model.
struct ModelDescription {
    std::string name, architecture;
    std::string sha256; // of the model file, in hex
    std::string path;
    std::span<const std::byte> file; // all of it; tensors must point into it for external weights
    uint32_t layers = 0, embedding = 0, vocabulary_size = 0;
    uint32_t context = 0, training_context = 0;
};

struct BuildInput {
    std::vector<ProgramInput> programs;
    const ir::Weights* weights = nullptr;
    ModelDescription model;
    const runtime::Vocabulary* vocabulary = nullptr; // null: the plan has none
};

// How far a stage is. `total` may be 0 where a stage has nothing to do.
struct BuildProgress {
    enum class Stage : uint8_t { kernels, weights } stage = Stage::kernels;
    uint64_t done = 0, total = 0; // kernels; bytes
};

struct BuildOptions {
    std::string precision = "default"; // or "f32": what the graphs were made for
    std::string producer = "ingot";    // of the plan, with version
    bool external_weights = false;     // leave the weights in the model file
    bool durable = true;               // wait for the disk
    // Called from several threads, one call at a time.
    std::function<void(const BuildProgress&)> progress;
};

// What was built, for statistics.
struct BuildReport {
    size_t kernels = 0, compiled = 0; // distinct ones, and those that the cache did not have
    uint64_t code_bytes = 0, weights_bytes = 0, state_bytes = 0, transient_bytes = 0, io_bytes = 0;
    double kernel_seconds = 0, weight_seconds = 0;
};

// Writes the plan; all or nothing (runtime/plan_writer.h). Throws ir::Error for a graph that has no kernels
// or a weight that is missing, runtime::Error where the file can't be written.
BuildReport build_plan(const BuildInput& input, KernelCompiler& compiler, const std::filesystem::path& path,
                       const BuildOptions& options = {});

// The kernels' specs of a graph, in the order of its fused nodes.
std::vector<KernelSpec> kernel_specs(const ir::Graph& planned);

// The graph in phase `lowered`: every fused node a launch of the kernel with that key. `keys` are in the
// order of kernel_specs.
ir::Graph lower(const ir::Graph& planned, std::span<const std::string> keys);

} // namespace ingot::codegen
