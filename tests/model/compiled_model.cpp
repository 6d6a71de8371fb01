#include "compiled_model.h"

#include "codegen/build_plan.h"
#include "passes/pipeline.h"
#include "passes/plan_memory.h"
#include "random_llama.h"
#include "runtime/digest.h"
#include "tools/driver/gguf_vocabulary.h"

#include <fmt/format.h>
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
                                                       const CompiledOptions& options,
                                                       const std::filesystem::path& plan) {
    if (plan.empty()) {
        const TemporaryFile file("model.ingot", {});
        return compile_model(path, options, file.path());
    }
    const auto shared_file =
        std::make_shared<const frontend::gguf::File>(frontend::gguf::File::open(path.string()));
    const frontend::gguf::File& file = *shared_file;
    const runtime::Vocabulary vocabulary = tools::gguf_vocabulary(shared_file);
    const frontend::Model model = planned_model(file, options);
    codegen::BuildInput input{
        .weights = &model.weights,
        .model = {.name = model.facts.name,
                  .architecture = model.facts.architecture,
                  .sha256 = fmt::format("{:02x}", fmt::join(runtime::sha256({file.bytes()}), "")),
                  .path = path.string(),
                  .file = file.bytes(),
                  .layers = static_cast<uint32_t>(model.facts.layers),
                  .embedding = static_cast<uint32_t>(model.facts.embedding),
                  .vocabulary_size = static_cast<uint32_t>(model.facts.vocabulary_size),
                  .context = static_cast<uint32_t>(model.facts.context),
                  .training_context = static_cast<uint32_t>(model.facts.training_context)},
        .vocabulary = &vocabulary};
    for (const ir::Graph& g : model.graphs) {
        const auto report = passes::memory_report(g);
        input.programs.push_back(
            {.graph = &g, .peak_transient = report.peak, .lower_bound_transient = report.lower_bound});
    }
    const codegen::Target& target =
        options.target.empty() ? codegen::machine_target() : codegen::target_from_name(options.target);
    codegen::CompilerOptions compiler_options{
        .worker = {.folder = std::filesystem::path(INGOT_BINARY_DIR) / "tools"}};
    if (options.cached)
        compiler_options.cache = std::filesystem::path(testing::TempDir()) / "ingot-test-kernels";
    codegen::KernelCompiler compiler(target, compiler_options);
    codegen::build_plan(input, compiler, plan,
                        {.precision = options.f32 ? "f32" : "default",
                         .external_weights = options.external_weights,
                         .durable = false});
    return runtime::PlanFile::open(plan);
}

} // namespace ingot::tests
