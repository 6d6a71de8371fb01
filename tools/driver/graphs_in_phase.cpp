#include "tools/driver/graphs_in_phase.h"

#include <algorithm>

#include <fmt/format.h>

#include "codegen/build_plan.h"
#include "ir/dot.h"
#include "ir/json.h"
#include "ir/print.h"
#include "ir/verify.h"
#include "plan_generated.h"
#include "tools/driver/compile_model.h"
#include "tools/driver/failure.h"

namespace ingot::tools {

ir::Phase phase_named(const std::string& name) {
    if (const auto phase = ir::phase_from_text(name)) return *phase;
    std::string known;
    for (auto p = ir::Phase::imported; p <= ir::Phase::lowered;
         p = static_cast<ir::Phase>(static_cast<int>(p) + 1))
        known += fmt::format("{}{}", known.empty() ? "" : ", ", ir::text(p));
    throw Failure(ExitCode::bad_input, "phase " + name, "there is no such phase; there are " + known);
}

std::vector<ir::Graph> graphs_in_phase(const std::filesystem::path& model, ir::Phase phase,
                                       const CompileSettings& settings, std::vector<PassTime>* times) {
    ImportedModel imported = import_file(model, settings);
    run_passes(imported, std::min(phase, ir::Phase::planned), settings, times);
    if (phase != ir::Phase::lowered) return std::move(imported.model.graphs);

    codegen::KernelCompiler compiler = open_compiler(settings);
    std::vector<ir::Graph> lowered;
    for (const ir::Graph& graph : imported.model.graphs) {
        const codegen::CompiledKernels kernels = compiler.compile(codegen::kernel_specs(graph));
        std::vector<std::string> keys;
        for (const size_t kernel : kernels.kernel_of)
            keys.push_back(kernels.kernels[kernel].key);
        lowered.push_back(codegen::lower(graph, keys));
    }
    return lowered;
}

std::vector<ir::Graph> graphs_of_plan(const runtime::PlanFile& plan) {
    std::vector<ir::Graph> graphs;
    for (const plan::Program* program : *plan.description().programs()) {
        if (program->ir() == nullptr)
            throw Failure(ExitCode::bad_input, plan.path().string(), "it carries no graphs");
        graphs.push_back(ir::parse(program->ir()->string_view(), plan.path().string()));
        ir::verify(graphs.back());
    }
    return graphs;
}

std::string format_graphs(const std::vector<ir::Graph>& graphs, GraphFormat format) {
    std::string out = format == GraphFormat::json ? "[" : "";
    for (const ir::Graph& graph : graphs) {
        const bool first = &graph == &graphs.front();
        switch (format) {
        case GraphFormat::text:
            out += first ? ir::print(graph) : "\n" + ir::print(graph);
            break;
        case GraphFormat::dot:
            out += ir::dot(graph);
            break;
        case GraphFormat::json:
            out += first ? ir::json(graph) : ",\n" + ir::json(graph);
            break;
        }
    }
    return format == GraphFormat::json ? out + "]\n" : out;
}

} // namespace ingot::tools
