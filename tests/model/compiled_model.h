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
};

// Compiles without a kernel cache. The plan's file is gone once the PlanFile is.
std::shared_ptr<const runtime::PlanFile> compile_model(const std::filesystem::path& model,
                                                       CompiledOptions options = {});

} // namespace ingot::tests
