// A model compiled into a plan, for tests of the whole path.
#pragma once

#include "frontend/import.h"
#include "runtime/plan_file.h"

#include <filesystem>
#include <memory>
#include <string>

namespace ingot::tests {

struct CompiledOptions {
    bool f32 = false;   // activations and KV cache in f32, as `--precision f32`
    std::string target; // empty: this machine's
    frontend::ImportOptions import = {};
    bool external_weights = false;
    // Take kernels from the cache that tests of small models share, and leave them there.
    bool cached = false;
};

// Graphs that the pipeline has prepared, as the plan of these options is made from them.
frontend::Model planned_model(const frontend::gguf::File& file, const CompiledOptions& options);

// Writes the plan to `plan`, or where that is empty, to a file that is gone once the PlanFile is.
std::shared_ptr<const runtime::PlanFile> compile_model(const std::filesystem::path& model,
                                                       const CompiledOptions& options = {},
                                                       const std::filesystem::path& plan = {});

} // namespace ingot::tests
