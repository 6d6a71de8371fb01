// ingot compile MODEL: model to plan, or to what lies between.
#include <algorithm>
#include <memory>
#include <set>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "codegen/build_plan.h"
#include "tools/commands/commands.h"
#include "tools/commands/common_options.h"
#include "tools/driver/compile_model.h"
#include "tools/driver/failure.h"
#include "tools/driver/graphs_in_phase.h"
#include "tools/driver/input_file.h"
#include "tools/driver/output_file.h"

namespace ingot::tools {

namespace {

namespace fs = std::filesystem;

struct Options {
    fs::path model, output;
    CompileSettings settings;
    std::string stop_after, emit;
    bool time_passes = false, json = false;
};

void print_times(const std::vector<PassTime>& times) {
    for (const PassTime& t : times)
        print_note(
            fmt::format("{:>8.2f} ms  {:<28} {}", t.seconds * 1e3, t.name, t.changed ? "" : "unchanged"));
}

nlohmann::json json_of(const std::vector<PassTime>& times) {
    nlohmann::json list = nlohmann::json::array();
    for (const PassTime& t : times)
        list.push_back({{"name", t.name}, {"seconds", t.seconds}, {"changed", t.changed}});
    return list;
}

// The distinct kernels of a model as C++ or as assembly.
std::string kernel_texts(const std::vector<ir::Graph>& planned, const Options& options) {
    codegen::KernelCompiler compiler = open_compiler(options.settings);
    const bool assembly = options.emit == "asm";
    std::set<std::string> seen;
    std::string out;
    nlohmann::json list = nlohmann::json::array();
    for (const ir::Graph& graph : planned)
        for (const codegen::KernelSpec& spec : codegen::kernel_specs(graph)) {
            std::string text = compiler.request(spec).source;
            if (!seen.insert(text).second) continue;
            if (assembly) text = compiler.listing(spec, codegen::Emit::assembly);
            if (options.json)
                list.push_back({{"kernel", spec.name}, {"program", graph.name}, {"text", text}});
            else
                out += fmt::format("{} kernel {} of {}, for {}\n{}\n", assembly ? "#" : "//", spec.name,
                                   graph.name, compiler.target().name, text);
        }
    return options.json ? list.dump(2) + "\n" : out;
}

void emit(const Options& options, std::vector<PassTime>* times) {
    const bool code = options.emit == "source" || options.emit == "asm";
    const ir::Phase phase = options.stop_after.empty() ? ir::Phase::planned : phase_named(options.stop_after);
    if (code && phase != ir::Phase::planned)
        throw Failure(ExitCode::bad_input, "--stop-after", "kernels are made of planned graphs only");
    const std::vector<ir::Graph> graphs = graphs_in_phase(options.model, phase, options.settings, times);
    std::string text;
    if (code)
        text = kernel_texts(graphs, options);
    else
        text = format_graphs(graphs, options.emit == "dot" ? GraphFormat::dot
                                     : options.json        ? GraphFormat::json
                                                           : GraphFormat::text);
    write_output(options.output, text);
}

nlohmann::json json_of(const CompileReport& report) {
    const codegen::BuildReport& b = report.build;
    return {{"target", report.target},
            {"model_sha256", report.model_sha256},
            {"kernels", b.kernels},
            {"compiled", b.compiled},
            {"code_bytes", b.code_bytes},
            {"weights_bytes", b.weights_bytes},
            {"state_bytes", b.state_bytes},
            {"transient_bytes", b.transient_bytes},
            {"io_bytes", b.io_bytes},
            {"kernel_seconds", b.kernel_seconds},
            {"weight_seconds", b.weight_seconds},
            {"seconds", report.seconds}};
}

void compile(const Options& options) {
    if (kind_of(options.model) != FileKind::gguf)
        throw Failure(ExitCode::bad_input, options.model.string(), "is a plan already; give its model");
    std::vector<PassTime> times;
    std::vector<PassTime>* const wanted = options.time_passes ? &times : nullptr;
    if (!options.emit.empty() || !options.stop_after.empty()) {
        emit(options, wanted);
        print_times(times);
        return;
    }
    const CompileReport report = compile_model({.model = options.model,
                                                .plan = options.output,
                                                .settings = options.settings,
                                                .quiet = options.json,
                                                .times = wanted});
    if (options.json) {
        nlohmann::json out = json_of(report);
        out["plan"] = report.plan.string();
        if (options.time_passes) out["passes"] = json_of(times);
        print_json(out);
        return;
    }
    print_times(times);
    print_note(text(report));
    print_result(report.plan.string() + "\n");
}

} // namespace

void add_compile(CLI::App& app, Action& chosen) {
    const auto options = std::make_shared<Options>();
    CLI::App& command = *app.add_subcommand("compile", "Compile a model to a plan");
    add_model(command, options->model, "MODEL");
    command
        .add_option("-o,--output", options->output, "where to write; without it the plan goes into the cache")
        ->option_text("FILE");
    add_compile_settings(command, options->settings);
    command
        .add_option(
            "--stop-after", options->stop_after,
            "print the graphs as they are after a phase: imported, canonical, fused, packed, scheduled, "
            "planned, lowered")
        ->option_text("PHASE");
    command
        .add_option("--emit", options->emit,
                    "print, instead of a plan: ir (text), dot (Graphviz), source (C++ of each kernel), asm")
        ->option_text("WHAT")
        ->check(CLI::IsMember({"ir", "dot", "source", "asm"}));
    command.add_flag("--time-passes", options->time_passes, "say on stderr what each pass took");
    add_json(command, options->json);
    command.footer(
        "Prints the path of the plan. A plan holds the tokenizer too: it runs with nothing beside it.\n"
        "Examples:\n"
        "  ingot compile model.gguf -o model.ingot\n"
        "  ingot compile model.gguf --target x86-64-v3 --context 8192\n"
        "  ingot compile model.gguf --stop-after fused | less\n"
        "  ingot compile model.gguf --emit dot | dot -Tsvg > model.svg");
    command.callback([options, &chosen] { chosen = [options] { compile(*options); }; });
}

} // namespace ingot::tools
