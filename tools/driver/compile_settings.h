// What a user chooses of a compilation, beside the model.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "codegen/targets.h"

namespace ingot::tools {

struct CompileSettings {
    std::string target;    // a row of codegen/targets.def; empty: the best that this machine runs
    std::string compiler;  // llvm, hiprtc or nvrtc; empty: the first of the target's that can be used
    int64_t context = 0;   // positions of one sequence; 0: the model's own, at most 4096
    std::string precision; // "f32": activations and KV cache in f32; empty: as users run it
    std::string weights;   // "external": they stay in the model file; empty: in the plan
    std::vector<std::string> disabled_passes;
    // Folder of kernels, plans and what is remembered of files (docs/ARCHITECTURE.md); empty: the user's own.
    std::filesystem::path cache;

    bool f32() const { return precision == "f32"; }
    bool external_weights() const { return weights == "external"; }
};

// Where nothing else is asked for, a model is compiled for the device that shall run it; of the host that is
// the best target of this machine. Throws runtime::Error for a device that is not there.
void default_target(CompileSettings& settings, const std::string& device);

// The target with the default filled in. Throws ir::Error for one that there is not.
const codegen::Target& target_of(const CompileSettings& settings);

// The compiler that the settings ask for; empty: none in particular. Throws ir::Error for one that there is
// not.
std::optional<codegen::Compiler> compiler_of(const CompileSettings& settings);

// The cache's folder with the default filled in. Throws ir::Error where nothing says what it is.
std::filesystem::path cache_directory(const CompileSettings& settings);

} // namespace ingot::tools
