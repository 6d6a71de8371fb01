#include "tools/driver/compile_model.h"

#include <chrono>

#include <fmt/format.h>

#include "ir/error.h"
#include "passes/plan_memory.h"
#include "tools/driver/build_info.h"
#include "tools/driver/failure.h"
#include "tools/driver/gguf_vocabulary.h"
#include "tools/driver/plan_cache.h"
#include "tools/driver/progress.h"

namespace ingot::tools {

namespace fs = std::filesystem;

codegen::KernelCompiler open_compiler(const CompileSettings& settings) {
    const codegen::Target& target = target_of(settings);
    const std::optional<codegen::Compiler> compiler = compiler_of(settings);
    try {
        return codegen::KernelCompiler(
            target, {.cache = cache_directory(settings), .compiler = compiler, .worker = {}});
    } catch (const ir::Error& e) {
        throw Failure(ExitCode::failed, e.where(), e.message());
    }
}

CompileReport compile_model(const CompileRequest& request) {
    const auto start = std::chrono::steady_clock::now();
    std::error_code error;
    if (fs::exists(request.plan, error) && !fs::is_regular_file(request.plan, error))
        throw Failure(ExitCode::bad_input, request.plan.string(), "is no file that a plan could replace");
    Progress progress(request.quiet);
    ImportedModel imported = import_file(request.model, request.settings);
    const runtime::Vocabulary vocabulary = gguf_vocabulary(imported.file);
    const frontend::ModelFacts& facts = imported.model.facts;
    progress.update("passes", 0, 0);
    run_passes(imported, ir::Phase::planned, request.settings, request.times);

    codegen::KernelCompiler compiler = open_compiler(request.settings);
    CompileReport report{.plan = request.plan,
                         .build = {},
                         .target = std::string(compiler.target().name),
                         .model_sha256 = file_sha256(request.model, cache_directory(request.settings)),
                         .seconds = 0};
    codegen::BuildInput input{.programs = {},
                              .weights = &imported.model.weights,
                              .model = {.name = facts.name,
                                        .architecture = facts.architecture,
                                        .sha256 = report.model_sha256,
                                        .path = fs::absolute(request.model).lexically_normal().string(),
                                        .file = imported.file->bytes(),
                                        .layers = static_cast<uint32_t>(facts.layers),
                                        .embedding = static_cast<uint32_t>(facts.embedding),
                                        .vocabulary_size = static_cast<uint32_t>(facts.vocabulary_size),
                                        .context = static_cast<uint32_t>(facts.context),
                                        .training_context = static_cast<uint32_t>(facts.training_context)},
                              .vocabulary = &vocabulary};
    for (const ir::Graph& graph : imported.model.graphs) {
        const passes::MemoryReport memory = passes::memory_report(graph);
        input.programs.push_back(
            {.graph = &graph, .peak_transient = memory.peak, .lower_bound_transient = memory.lower_bound});
    }
    const codegen::BuildOptions options{
        .precision = request.settings.f32() ? "f32" : "default",
        .producer = fmt::format("ingot {}", version()),
        .external_weights = request.settings.external_weights(),
        .progress = [&](const codegen::BuildProgress& p) {
            progress.update(p.stage == codegen::BuildProgress::Stage::kernels ? "kernels" : "weights", p.done,
                            p.total);
        }};
    if (report.plan.empty()) {
        report.plan = cached_plan(request.model, request.settings);
        fs::create_directories(report.plan.parent_path(), error);
    }
    try {
        report.build = codegen::build_plan(input, compiler, report.plan, options);
    } catch (const ir::Error& e) {
        // The model passed every check by then: what fails is a kernel.
        throw Failure(ExitCode::failed, e.where(), e.message());
    }
    report.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
    return report;
}

std::string text(const CompileReport& report) {
    const codegen::BuildReport& b = report.build;
    return fmt::format("compiled for {} in {:.2f} s ({} kernels, {} of them new; weights {:.1f} MiB): {}",
                       report.target, report.seconds, b.kernels, b.compiled,
                       static_cast<double>(b.weights_bytes) / (1 << 20), report.plan.string());
}

} // namespace ingot::tools
