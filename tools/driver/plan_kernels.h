// The kernels that a model wants or a plan has, as what is needed to compile and to judge them.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "codegen/kernel_compiler.h"
#include "ir/graph.h"
#include "runtime/device.h"
#include "tools/driver/compile_model.h"
#include "tools/driver/compile_settings.h"

namespace ingot::tools {

struct PlanKernels {
    std::vector<ir::Graph> graphs; // planned; own the bodies of `specs`
    std::vector<codegen::KernelSpec> specs;
    std::vector<std::string> objects; // code of a plan, one a spec; empty for a model
    CompileSettings settings;         // with the plan's target
};

PlanKernels kernels_of_model(const std::filesystem::path& model, const CompileSettings& settings);

// Compares the weights with their checksum too. Throws runtime::Error for a plan that is damaged or whose
// code the device can't run, Failure{bad_input} for settings that a finished plan can't follow.
PlanKernels kernels_of_plan(const std::filesystem::path& plan, const CompileSettings& settings,
                            const runtime::Device& device);

} // namespace ingot::tools
