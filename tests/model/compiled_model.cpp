#include "compiled_model.h"

#include "codegen/build_plan.h"
#include "passes/pipeline.h"
#include "passes/plan_memory.h"

#include <cstdlib>
#include <fstream>

#include <gtest/gtest.h>

namespace ingot::tests {

frontend::Model planned_model(const frontend::gguf::File& file, const CompiledOptions& options) {
    frontend::ImportOptions import = options.import;
    if (options.f32) import.cache = ir::Element::f32;
    frontend::Model model = frontend::import_model(file, import);
    passes::PipelineOptions pipeline;
    if (options.f32) pipeline.disabled = {"quantize-activations"};
    for (ir::Graph& g : model.graphs)
        passes::run_pipeline(g, {}, pipeline);
    return model;
}

std::shared_ptr<const runtime::PlanFile> compile_model(const std::filesystem::path& path,
                                                       CompiledOptions options) {
    const auto file = frontend::gguf::File::open(path.string());
    const frontend::Model model = planned_model(file, options);
    codegen::BuildInput input{
        .weights = &model.weights,
        .model = {.name = model.facts.name,
                  .architecture = model.facts.architecture,
                  .sha256 = std::string(64, '0'),
                  .path = path.string(),
                  .file = file.bytes(),
                  .layers = static_cast<uint32_t>(model.facts.layers),
                  .embedding = static_cast<uint32_t>(model.facts.embedding),
                  .vocabulary_size = static_cast<uint32_t>(model.facts.vocabulary_size),
                  .context = static_cast<uint32_t>(model.facts.context),
                  .training_context = static_cast<uint32_t>(model.facts.training_context)}};
    for (const ir::Graph& g : model.graphs) {
        const auto report = passes::memory_report(g);
        input.programs.push_back(
            {.graph = &g, .peak_transient = report.peak, .lower_bound_transient = report.lower_bound});
    }
    const codegen::Target& target =
        options.target.empty() ? codegen::machine_target() : codegen::target_from_name(options.target);
    codegen::CompilerOptions compiler_options{
        .worker = {.program = std::filesystem::path(INGOT_BINARY_DIR) / "tools" / "ingot-worker"}};
    if (options.cached)
        compiler_options.cache = std::filesystem::path(testing::TempDir()) / "ingot-test-kernels";
    codegen::KernelCompiler compiler(target, compiler_options);
    std::string pattern = testing::TempDir() + "/ingot-model-XXXXXX";
    if (mkdtemp(pattern.data()) == nullptr) throw std::runtime_error("no temporary folder");
    const std::filesystem::path folder = pattern;
    codegen::build_plan(input, compiler, folder / "model.ingot",
                        {.precision = options.f32 ? "f32" : "default",
                         .external_weights = options.external_weights,
                         .durable = false});
    auto plan = runtime::PlanFile::open(folder / "model.ingot");
    std::filesystem::remove_all(folder);
    return plan;
}

} // namespace ingot::tests
