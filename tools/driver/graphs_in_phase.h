// The graphs of a model or plan in a given phase: what is dumped, drawn and compiled to source.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "ir/graph.h"
#include "runtime/plan_file.h"
#include "tools/driver/compile_settings.h"
#include "tools/driver/model_graphs.h"

namespace ingot::tools {

// The phase of that name. Throws Failure{bad_input} that lists them.
ir::Phase phase_named(const std::string& name);

// The graphs of a model; `lowered` compiles its kernels. `times` as for run_passes.
std::vector<ir::Graph> graphs_in_phase(const std::filesystem::path& model, ir::Phase phase,
                                       const CompileSettings& settings,
                                       std::vector<PassTime>* times = nullptr);

// The lowered graphs that a plan carries. Throws Failure{bad_input} where they are no graphs.
std::vector<ir::Graph> graphs_of_plan(const runtime::PlanFile& plan);

enum class GraphFormat { text, dot, json };
// One after the other; as JSON a list of objects.
std::string format_graphs(const std::vector<ir::Graph>& graphs, GraphFormat format);

} // namespace ingot::tools
