// A model file → a plan file.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "codegen/build_plan.h"
#include "codegen/kernel_compiler.h"
#include "tools/driver/compile_settings.h"
#include "tools/driver/model_graphs.h"

namespace ingot::tools {

// The compiler for the settings' target, with its cache. Throws ir::Error for an unknown target and
// Failure{failed} where there is no compiler.
codegen::KernelCompiler open_compiler(const CompileSettings& settings);

struct CompileReport {
    std::filesystem::path plan; // where it is
    codegen::BuildReport build;
    std::string target, model_sha256;
    double seconds = 0; // all of it
};

struct CompileRequest {
    std::filesystem::path model;
    std::filesystem::path plan; // empty: into the cache
    CompileSettings settings;
    bool quiet = false;                     // no progress bar
    std::vector<PassTime>* times = nullptr; // as run_passes
};

// All or nothing: a model that can't be used leaves nothing in the cache either. Throws ir::Error and
// runtime::Error for such a model, Failure{failed} where kernels don't compile.
CompileReport compile_model(const CompileRequest& request);

// One line for people.
std::string text(const CompileReport& report);

} // namespace ingot::tools
