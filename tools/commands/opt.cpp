// ingot opt FILE.ir: passes over graphs in text form.
#include <memory>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "ir/print.h"
#include "passes/pipeline.h"
#include "tools/commands/commands.h"
#include "tools/commands/common_options.h"
#include "tools/driver/failure.h"
#include "tools/driver/graphs_in_phase.h"
#include "tools/driver/input_file.h"
#include "tools/driver/output_file.h"

namespace ingot::tools {

namespace {

struct Options {
    std::filesystem::path input, output;
    std::vector<std::string> passes;
    bool list = false, json = false;
};

void list_passes(bool json) {
    nlohmann::json list = nlohmann::json::array();
    std::string text;
    for (const passes::Pass& pass : passes::pipeline()) {
        list.push_back({{"name", pass.name},
                        {"phase", ir::text(pass.phase)},
                        {"required", pass.required},
                        {"summary", pass.summary}});
        text += fmt::format("{:<28} {:<10} {}\n", pass.name, ir::text(pass.phase), pass.summary);
    }
    json ? print_json(list) : print_result(text);
}

void opt(const Options& options) {
    if (options.list) {
        list_passes(options.json);
        return;
    }
    if (options.input.empty())
        throw Failure(ExitCode::bad_input, "opt", "FILE is required; - for standard input");
    const std::string name = options.input == "-" ? "standard input" : options.input.string();
    std::vector<ir::Graph> graphs = ir::parse_all(read_text(options.input), name);
    for (ir::Graph& graph : graphs) {
        passes::run_passes(graph, options.passes, {});
    }
    write_output(options.output, format_graphs(graphs, options.json ? GraphFormat::json : GraphFormat::text));
}

} // namespace

void add_opt(CLI::App& app, Action& chosen) {
    const auto options = std::make_shared<Options>();
    CLI::App& command = *app.add_subcommand("opt", "Run passes over graphs in text form");
    command.add_option("FILE", options->input, "graphs in text form (docs/IR.md); - for standard input")
        ->option_text(" ");
    command.add_option("--passes", options->passes, "passes in the order in which to run them")
        ->option_text("A,B")
        ->delimiter(',');
    command.add_flag("--list", options->list, "say which passes there are, in the order of the pipeline");
    command.add_option("-o,--output", options->output, "where to write; without it to standard output")
        ->option_text("FILE");
    add_json(command, options->json);
    command.footer(
        "Without --passes the graphs are verified and printed again.\n"
        "Examples:\n"
        "  ingot opt --list\n"
        "  ingot dump model.gguf --phase imported | ingot opt - --passes canonicalize,merge-projections\n"
        "  ingot opt layer.ir --passes fold-constants,remove-dead-nodes -o smaller.ir");
    command.callback([options, &chosen] { chosen = [options] { opt(*options); }; });
}

} // namespace ingot::tools
