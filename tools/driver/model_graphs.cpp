#include "tools/driver/model_graphs.h"

#include <algorithm>

#include "passes/pipeline.h"

namespace ingot::tools {

namespace {

// What the target's kernels want of graphs.
passes::PassContext context_for(const codegen::Target& target) {
    const bool gpu = target.is_gpu();
    return {.row_tiles = gpu, .key_octets = gpu, .defer_norms = gpu, .products_alone = gpu};
}

} // namespace

ImportedModel import_file(const std::filesystem::path& path, const CompileSettings& settings) {
    ImportedModel out;
    out.file = std::make_shared<const frontend::gguf::File>(frontend::gguf::File::open(path.string()));
    frontend::ImportOptions options{.context = settings.context};
    if (settings.f32()) options.cache = ir::Element::f32;
    if (target_of(settings).is_gpu()) options.batch_tokens = 8;
    out.model = frontend::import_model(*out.file, options);
    return out;
}

void run_passes(ImportedModel& imported, ir::Phase stop_after, const CompileSettings& settings,
                std::vector<PassTime>* times) {
    passes::PipelineOptions options{.disabled = settings.disabled_passes, .stop_after = stop_after};
    if (settings.f32()) options.disabled.emplace_back("quantize-activations");
    if (times != nullptr)
        options.observer = [&](const passes::Pass& pass, const ir::Graph&, double seconds, bool changed) {
            auto at = std::find_if(times->begin(), times->end(),
                                   [&](const PassTime& t) { return t.name == pass.name; });
            if (at == times->end())
                at = times->insert(at, {.name = std::string(pass.name), .seconds = 0, .changed = false});
            at->seconds += seconds;
            at->changed |= changed;
        };
    for (ir::Graph& graph : imported.model.graphs)
        passes::run_pipeline(graph, context_for(target_of(settings)), options);
}

} // namespace ingot::tools
