// ingot inspect FILE: what a model or a plan holds.
#include <memory>

#include <nlohmann/json.hpp>

#include "tools/commands/commands.h"
#include "tools/commands/common_options.h"
#include "tools/driver/failure.h"
#include "tools/driver/input_file.h"
#include "tools/driver/output_file.h"
#include "tools/inspect/arena_picture.h"
#include "tools/inspect/kernel_code.h"
#include "tools/inspect/model_summary.h"
#include "tools/inspect/plan_summary.h"

namespace ingot::tools {

namespace {

namespace fs = std::filesystem;

struct Options {
    fs::path file, svg;
    std::string program;
    bool tensors = false, lifetimes = false, assembly = false, json = false;
};

const ProgramSummary& program_named(const std::vector<ProgramSummary>& programs, const std::string& name) {
    std::string known;
    for (const ProgramSummary& program : programs) {
        if (name.empty() || program.name == name) return program;
        known += (known.empty() ? "" : ", ") + program.name;
    }
    throw Failure(ExitCode::bad_input, "--program " + name, "there is no such program; there are " + known);
}

void inspect_plan(const Options& options) {
    const auto plan = runtime::PlanFile::open(options.file);
    const std::vector<ProgramSummary> programs = summarize_programs(*plan);
    if (options.assembly) {
        print_result(kernel_code(*plan));
        return;
    }
    if (!options.svg.empty())
        write_output(options.svg, svg_picture(program_named(programs, options.program)));
    if (options.json) {
        print_json(json_summary(*plan, programs));
        return;
    }
    if (options.svg != "-") print_result(text_summary(*plan, programs, options.tensors));
    if (!options.lifetimes) return;
    for (const ProgramSummary& program : programs)
        if (options.program.empty() || &program == &program_named(programs, options.program))
            print_result(text_picture(program));
}

void inspect(const Options& options) {
    if (kind_of(options.file) == FileKind::plan) {
        inspect_plan(options);
        return;
    }
    if (options.lifetimes || options.assembly || !options.svg.empty())
        throw Failure(
            ExitCode::bad_input, options.file.string(),
            "is a model, which has no arenas and no code yet; give a plan (ingot compile prints its path)");
    const auto file = frontend::gguf::File::open(options.file.string());
    options.json ? print_json(json_summary(file)) : print_result(text_summary(file, options.tensors));
}

} // namespace

void add_inspect(CLI::App& app, Action& chosen) {
    const auto options = std::make_shared<Options>();
    CLI::App& command = *app.add_subcommand("inspect", "Say what a model or a plan holds");
    add_model(command, options->file);
    command.add_flag("--tensors", options->tensors, "list every tensor");
    command.add_flag("--lifetimes", options->lifetimes, "draw a plan's transient arena over time");
    command.add_flag("--asm", options->assembly, "print the machine code of a plan's kernels, nothing else");
    command.add_option("--svg", options->svg, "write that picture of one program as SVG")
        ->option_text("FILE");
    command.add_option("--program", options->program, "the program to draw: decode, prefill, head")
        ->option_text("NAME");
    add_json(command, options->json);
    command.footer(
        "Of a model: metadata and tensors. Of a plan: sizes, arenas and how many device allocations they "
        "take, kernels of a layer and in all, peak of transient memory and the bound that no plan can "
        "go below; of a GPU's plan also each kernel's registers, LDS, scratch, spills and occupancy.\n"
        "Examples:\n"
        "  ingot inspect model.gguf --tensors\n"
        "  ingot inspect $(ingot compile model.gguf) --lifetimes --program decode\n"
        "  ingot inspect model.ingot --svg arena.svg --program prefill");
    command.callback([options, &chosen] { chosen = [options] { inspect(*options); }; });
}

} // namespace ingot::tools
