// ingot bench MODEL|PLAN: tokens a second, and how far from this machine's limits that is.
#include <algorithm>
#include <memory>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "ir/error.h"
#include "plan_generated.h"
#include "runtime/open_device.h"
#include "runtime/required.h"
#include "runtime/session.h"
#include "tools/bench/bench.h"
#include "tools/bench/gpu_limits.h"
#include "tools/commands/commands.h"
#include "tools/commands/common_options.h"
#include "tools/commands/whole_number.h"
#include "tools/driver/failure.h"
#include "tools/driver/input_file.h"
#include "tools/driver/open_plan.h"
#include "tools/driver/progress.h"

namespace ingot::tools {

namespace {

struct Options {
    std::filesystem::path model;
    CompileSettings settings;
    BenchOptions bench;
    std::string device = "host", format = "md";
    unsigned threads = 0;
};

struct Report {
    std::vector<BenchResult> results;
    MachineLimits limits;
    std::string model, target, device;
    uint64_t weights_bytes = 0;
    unsigned threads = 0;
};

std::string markdown(const Report& r) {
    std::string out = fmt::format(
        "{}, {:.1f} MiB of weights, {}, {}{}\n", r.model, static_cast<double>(r.weights_bytes) / (1 << 20),
        r.target, r.device == "host" ? fmt::format("{} threads on ", r.threads) : "on ", r.device);
    if (r.limits.read_bytes_per_second > 0)
        out += fmt::format("{} reads at {:.1f} GB/s and does {:.0f} GOPS ({})\n",
                           r.device == "host" ? "this machine" : "it", r.limits.read_bytes_per_second / 1e9,
                           r.limits.ops_per_second / 1e9, r.limits.instructions);
    out += "\n| test | tokens/s | best | MB a token | limit, tokens/s | of the limit |\n"
           "|---|---:|---:|---:|---:|---:|\n";
    for (const BenchResult& b : r.results)
        out += fmt::format(
            "| {} | {:.2f} ± {:.2f} | {:.2f} | {} | {} | {} |\n", b.test, b.mean, b.deviation, b.best,
            b.bytes_per_token == 0 ? "–"
                                   : fmt::format("{:.1f}", static_cast<double>(b.bytes_per_token) / 1e6),
            b.limit == 0 ? "–" : fmt::format("{:.0f}", b.limit),
            b.limit == 0 ? "–" : fmt::format("{:.0f}%", b.share * 100));
    return out;
}

std::string csv(const Report& r) {
    std::string out =
        "model,target,device,threads,test,tokens_per_second,deviation,best,bytes_per_token,limit,"
        "share\n";
    for (const BenchResult& b : r.results)
        out += fmt::format("\"{}\",{},{},{},{},{:.3f},{:.3f},{:.3f},{},{:.3f},{:.4f}\n", r.model, r.target,
                           r.device, r.threads, b.test, b.mean, b.deviation, b.best, b.bytes_per_token,
                           b.limit, b.share);
    return out;
}

std::string json(const Report& r) {
    nlohmann::json results = nlohmann::json::array();
    for (const BenchResult& b : r.results)
        results.push_back({{"test", b.test},
                           {"tokens_per_second", b.mean},
                           {"deviation", b.deviation},
                           {"best", b.best},
                           {"bytes_per_token", b.bytes_per_token},
                           {"limit", b.limit},
                           {"share", b.share}});
    const nlohmann::json out{{"model", r.model},
                             {"target", r.target},
                             {"device", r.device},
                             {"threads", r.threads},
                             {"weights_bytes", r.weights_bytes},
                             {"machine",
                              {{"read_bytes_per_second", r.limits.read_bytes_per_second},
                               {"ops_per_second", r.limits.ops_per_second},
                               {"instructions", r.limits.instructions}}},
                             {"results", results}};
    return out.dump(2, ' ', false, nlohmann::json::error_handler_t::replace) + "\n";
}

// Of the host as much is read as a step reads, so that a last cache keeps the same part of both.
MachineLimits limits_of(runtime::Device& device, const Report& report, CompileSettings settings) {
    if (device.info().name == "host")
        return measure_machine(report.threads, report.target,
                               std::max(report.weights_bytes, uint64_t{1} << 20));
    if (!codegen::target_from_name(report.target).is_gpu()) return {};
    settings.target = report.target;
    try {
        codegen::KernelCompiler compiler = open_compiler(settings);
        return measure_gpu(device, compiler);
    } catch (const Failure& e) {
        print_note(fmt::format(
            "the device's limits are not measured, because nothing here compiles for it: {}", e.what()));
        return {};
    }
}

void bench(const Options& options) {
    const bool quiet = options.format != "md";
    CompileSettings settings = options.settings;
    if (kind_of(options.model) == FileKind::gguf) default_target(settings, options.device);
    const OpenedPlan plan = open_plan(options.model, settings, quiet);
    const auto device = runtime::open_device(options.device);
    const auto session = runtime::Session::open(
        load_plan(plan, device, settings), {.queue = {.threads = options.threads}, .reuse_prefixes = false});
    const plan::Plan& description = plan.file->description();
    Report report{.model = runtime::required(description.model_name()).str(),
                  .target = runtime::required(description.target()).str(),
                  .device = options.device,
                  .weights_bytes = description.weights_bytes(),
                  .threads = session->threads()};
    report.limits = limits_of(*device, report, settings);
    BenchOptions how = options.bench;
    Progress progress(quiet);
    how.progress = [&](const std::string& test, uint64_t done, uint64_t total) {
        progress.update(test, done, total);
    };
    report.results = run_bench(*session, how, report.limits);
    progress.clear();
    print_result(options.format == "json"  ? json(report)
                 : options.format == "csv" ? csv(report)
                                           : markdown(report));
}

} // namespace

void add_bench(CLI::App& app, Action& chosen) {
    const auto options = std::make_shared<Options>();
    CLI::App& command = *app.add_subcommand("bench", "Measure tokens a second, beside the machine's limits");
    add_model(command, options->model);
    command.add_option("-p,--prompt", options->bench.prompts, "tokens of the prompt test; several: 128,512")
        ->option_text("N")
        ->delimiter(',')
        ->check(whole_number(0));
    command.add_option("-n,--generate", options->bench.generated, "tokens of the generation test; likewise")
        ->option_text("N")
        ->delimiter(',')
        ->check(whole_number(0));
    command
        .add_option("-d,--depth", options->bench.depth, "positions in the cache before each test (default 0)")
        ->option_text("N")
        ->check(whole_number(0));
    command
        .add_option("-s,--sequences", options->bench.sequences,
                    "sequences generated side by side (default 1)")
        ->option_text("N")
        ->check(whole_number());
    command.add_option("-r,--repetitions", options->bench.repetitions, "of each test (default 5)")
        ->option_text("N")
        ->check(whole_number());
    command.add_option("-o,--output", options->format, "md (default), json or csv")
        ->option_text("FORMAT")
        ->check(CLI::IsMember({"md", "json", "csv"}));
    command.add_flag_callback("--json", [options] { options->format = "json"; }, "as -o json");
    command.add_option("--device", options->device, "where to run (see ingot devices)")->option_text("D");
    command.add_option("--threads", options->threads, "threads (default: one a physical core)")
        ->option_text("N")
        ->check(whole_number(1, 1024));
    add_compile_settings(command, options->settings);
    command.footer(
        "The limit of generation is the bytes of weights a token over the bandwidth of reading as many,\n"
        "that of a prompt two operations a weight over the peak of the instructions that do them;\n"
        "both are measured first.\n"
        "Examples:\n"
        "  ingot bench model.gguf\n"
        "  ingot bench model.gguf -p 512 -n 128 -r 5 -o json\n"
        "  ingot bench model.gguf -p 0 -n 128 --depth 2048");
    command.callback([options, &chosen] { chosen = [options] { bench(*options); }; });
}

} // namespace ingot::tools
