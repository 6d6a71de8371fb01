// ingot dump MODEL|PLAN: its graphs, as text, picture or JSON.
#include <memory>

#include "tools/commands/commands.h"
#include "tools/commands/common_options.h"
#include "tools/driver/failure.h"
#include "tools/driver/graphs_in_phase.h"
#include "tools/driver/input_file.h"
#include "tools/driver/open_plan.h"
#include "tools/driver/output_file.h"

namespace ingot::tools {

namespace {

struct Options {
    std::filesystem::path model, output;
    CompileSettings settings;
    std::string phase, format = "text", program;
};

std::vector<ir::Graph> graphs_of(const Options& options) {
    if (kind_of(options.model) == FileKind::gguf)
        return graphs_in_phase(options.model,
                               options.phase.empty() ? ir::Phase::planned : phase_named(options.phase),
                               options.settings);
    if (!options.phase.empty() && phase_named(options.phase) != ir::Phase::lowered)
        throw Failure(ExitCode::bad_input, options.model.string(),
                      "a plan has the lowered graphs only; give its model for an earlier phase");
    require_no_compilation(options.settings, options.model);
    return graphs_of_plan(*runtime::PlanFile::open(options.model));
}

void dump(const Options& options) {
    std::vector<ir::Graph> graphs = graphs_of(options);
    if (!options.program.empty()) {
        std::string known;
        for (const ir::Graph& graph : graphs)
            known += (known.empty() ? "" : ", ") + graph.name;
        std::erase_if(graphs, [&](const ir::Graph& graph) { return graph.name != options.program; });
        if (graphs.empty())
            throw Failure(ExitCode::bad_input, "--program " + options.program,
                          "there is no such program; there are " + known);
    }
    write_output(options.output, format_graphs(graphs, options.format == "dot"    ? GraphFormat::dot
                                                       : options.format == "json" ? GraphFormat::json
                                                                                  : GraphFormat::text));
}

} // namespace

void add_dump(CLI::App& app, Action& chosen) {
    const auto options = std::make_shared<Options>();
    CLI::App& command = *app.add_subcommand("dump", "Print the graphs of a model or a plan");
    add_model(command, options->model);
    command
        .add_option("--phase", options->phase,
                    "imported, canonical, fused, packed, scheduled, planned (default), lowered (all that a "
                    "plan has)")
        ->option_text("PHASE");
    command.add_option("--program", options->program, "one graph alone: decode, prefill or head")
        ->option_text("NAME");
    command.add_option("--format", options->format, "text (default), dot (for Graphviz) or json")
        ->option_text("FORMAT")
        ->check(CLI::IsMember({"text", "dot", "json"}));
    command.add_flag_callback("--json", [options] { options->format = "json"; }, "as --format json");
    command.add_option("-o,--output", options->output, "where to write; without it to standard output")
        ->option_text("FILE");
    add_compile_settings(command, options->settings);
    command.footer(
        "The text is what ingot opt reads.\n"
        "Examples:\n"
        "  ingot dump model.gguf --phase imported --program decode > decode.ir\n"
        "  ingot dump model.gguf --phase fused --program head --format dot | dot -Tsvg > head.svg\n"
        "  ingot dump model.ingot --json");
    command.callback([options, &chosen] { chosen = [options] { dump(*options); }; });
}

} // namespace ingot::tools
