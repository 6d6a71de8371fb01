// ingot pack FILE.csv: the memory planner alone.
#include <chrono>
#include <cmath>
#include <memory>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "ir/error.h"
#include "passes/memory/check.h"
#include "passes/memory/plan.h"
#include "tools/commands/commands.h"
#include "tools/commands/common_options.h"
#include "tools/commands/whole_number.h"
#include "tools/driver/failure.h"
#include "tools/driver/input_file.h"
#include "tools/driver/output_file.h"
#include "tools/pack/csv.h"

namespace ingot::tools {

namespace {

using passes::memory::PlanResult;
using passes::memory::SearchEnd;

struct Options {
    std::filesystem::path input, output;
    uint64_t capacity = 0;
    double seconds = 10;
    bool json = false;
};

std::string_view text(SearchEnd end) {
    switch (end) {
    case SearchEnd::found:
        return "found";
    case SearchEnd::impossible:
        return "impossible";
    case SearchEnd::limit:
        break;
    }
    return "limit";
}

nlohmann::json as_json(const PackProblem& problem, const PlanResult& result, const Options& options,
                       double seconds) {
    const bool found = result.end == SearchEnd::found;
    nlohmann::json buffers = nlohmann::json::array();
    for (size_t i = 0; found && i < problem.ids.size(); ++i) {
        const passes::memory::Buffer& b = problem.problem.buffers[i];
        buffers.push_back({{"id", problem.ids[i]},
                           {"lower", b.lower},
                           {"upper", b.upper},
                           {"size", b.size},
                           {"alignment", b.alignment},
                           {"offset", result.placement.offsets[i]}});
    }
    nlohmann::json out = {{"end", text(result.end)},     {"capacity", options.capacity},
                          {"lower_bound", result.bound}, {"buffers", buffers},
                          {"steps", result.steps},       {"seconds", seconds}};
    if (found) out["peak"] = result.placement.peak;
    return out;
}

// Why nothing is found.
std::string reason(const PlanResult& result, const Options& options) {
    if (result.bound > options.capacity)
        return fmt::format("{} bytes are live at once; the capacity is {}", result.bound, options.capacity);
    if (result.end == SearchEnd::impossible)
        return fmt::format("no placement within {} bytes exists; the whole search took {} steps",
                           options.capacity, result.steps);
    return fmt::format("no placement within {} bytes found in {} s, {} steps; --time-limit allows more",
                       options.capacity, options.seconds, result.steps);
}

void pack(const Options& options) {
    if (std::isnan(options.seconds))
        throw Failure(ExitCode::bad_input, "pack", "--time-limit must be a number of seconds");
    const std::string name = options.input == "-" ? "standard input" : options.input.string();
    const PackProblem problem = parse_pack_csv(read_text(options.input), name);
    const auto start = std::chrono::steady_clock::now();
    const PlanResult result = [&] {
        try {
            return plan_within(problem.problem, options.capacity, options.seconds);
        } catch (const ir::Error& e) {
            throw Failure(ExitCode::bad_input, name, e.what());
        }
    }();
    const double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
    const bool found = result.end == SearchEnd::found;
    if (found) {
        check_placement(problem.problem, result.placement);
        if (!options.json || (!options.output.empty() && options.output != "-"))
            write_output(options.output, format_pack_csv(problem, result.placement.offsets));
    }
    if (options.json) print_json(as_json(problem, result, options, seconds));
    if (!found) throw Failure(ExitCode::failed, name, reason(result, options));
    print_note(fmt::format("{} buffers, peak {} of {} bytes, lower bound {}; {} steps, {:.3f} s",
                           problem.ids.size(), result.placement.peak, options.capacity, result.bound,
                           result.steps, seconds));
}

} // namespace

void add_pack(CLI::App& app, Action& chosen) {
    const auto options = std::make_shared<Options>();
    CLI::App& command = *app.add_subcommand(
        "pack", "Place buffers with lifetimes within a capacity: the memory planner alone");
    command.add_option("FILE", options->input, "buffers as CSV: id,lower,upper,size; - for standard input")
        ->option_text(" ")
        ->required();
    command.add_option("--capacity", options->capacity, "bytes in which all must fit")
        ->option_text("N")
        ->check(whole_number(0, INT64_MAX))
        ->required();
    command.add_option("--time-limit", options->seconds, "seconds to search at most (10)")
        ->option_text("S")
        ->check(CLI::NonNegativeNumber);
    command.add_option("-o,--output", options->output, "where to write; without it to standard output")
        ->option_text("FILE");
    add_json(command, options->json);
    command.footer(
        "A buffer takes its size at every time t with lower <= t < upper. The result has the same columns "
        "and\n"
        "offset (MiniMalloc's format; an alignment column is heeded). Exit code 1 where nothing is found.\n"
        "Examples:\n"
        "  ingot pack buffers.csv --capacity 1048576 -o placed.csv\n"
        "  ingot pack buffers.csv --capacity 1048576 --time-limit 60 --json");
    command.callback([options, &chosen] { chosen = [options] { pack(*options); }; });
}

} // namespace ingot::tools
