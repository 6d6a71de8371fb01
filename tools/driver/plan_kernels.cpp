#include "tools/driver/plan_kernels.h"

#include <utility>

#include "codegen/build_plan.h"
#include "plan_generated.h"
#include "runtime/plan_file.h"
#include "tools/driver/failure.h"
#include "tools/driver/graphs_in_phase.h"
#include "tools/driver/open_plan.h"

namespace ingot::tools {

namespace {

// What codegen::lower did, taken back.
ir::Graph raised(ir::Graph g) {
    g.phase = ir::Phase::planned;
    for (ir::Graph& body : g.bodies)
        body.phase = ir::Phase::planned;
    for (ir::Node& n : g.nodes)
        if (n.op == ir::Op::launch) {
            n.op = ir::Op::fused;
            n.attrs.clear();
        }
    return g;
}

void add_specs(PlanKernels& kernels) {
    for (const ir::Graph& graph : kernels.graphs)
        for (codegen::KernelSpec& spec : codegen::kernel_specs(graph))
            kernels.specs.push_back(std::move(spec));
}

} // namespace

PlanKernels kernels_of_model(const std::filesystem::path& model, const CompileSettings& settings) {
    PlanKernels out{.graphs = graphs_in_phase(model, ir::Phase::planned, settings),
                    .specs = {},
                    .objects = {},
                    .settings = settings};
    add_specs(out);
    return out;
}

PlanKernels kernels_of_plan(const std::filesystem::path& plan, const CompileSettings& settings,
                            const runtime::Device& device) {
    require_no_compilation(settings, plan);
    const auto file = runtime::PlanFile::open(plan);
    file->verify_weights();
    const plan::Plan& description = file->description();
    device.check_target(description.target()->string_view(), description.abi());
    PlanKernels out{.graphs = {}, .specs = {}, .objects = {}, .settings = settings};
    out.settings.target = description.target()->str();
    for (ir::Graph& graph : graphs_of_plan(*file))
        out.graphs.push_back(raised(std::move(graph)));
    add_specs(out);
    for (const plan::Program* program : *description.programs())
        for (const plan::Launch* launch : *program->launches()) {
            const std::span<const std::byte> code = file->code_of(launch->kernel());
            out.objects.emplace_back(reinterpret_cast<const char*>(code.data()), code.size());
        }
    if (out.objects.size() != out.specs.size())
        throw Failure(ExitCode::bad_input, plan.string(), "its graphs are not those of its kernels");
    return out;
}

} // namespace ingot::tools
