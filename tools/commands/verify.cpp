// ingot verify MODEL|PLAN: every kernel against the reference evaluator.
#include <algorithm>
#include <memory>

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <nlohmann/json.hpp>

#include "codegen/verify_kernels.h"
#include "runtime/open_device.h"
#include "tools/commands/commands.h"
#include "tools/commands/common_options.h"
#include "tools/commands/whole_number.h"
#include "tools/driver/device_runner.h"
#include "tools/driver/failure.h"
#include "tools/driver/input_file.h"
#include "tools/driver/plan_kernels.h"
#include "tools/driver/progress.h"

namespace ingot::tools {

namespace {

// Rounding of f32 sums; and what 8-bit activations add where a code falls to the other side of a half.
constexpr double bound_f32 = 1e-7, bound_quantized = 5e-4;

struct Options {
    std::filesystem::path model;
    CompileSettings settings;
    codegen::VerifyOptions verify;
    std::string device = "host";
    bool json = false;
};

double bound(const codegen::KernelCheck& check) {
    return check.quantized ? bound_quantized : bound_f32;
}

bool passes(const codegen::KernelCheck& check) {
    return check.nmse <= bound(check);
}

std::string line(const codegen::KernelCheck& check) {
    return fmt::format("{:<28} {:>4}  {:>9.2e}  {:>7.0e}  {:<4} {}\n", check.kernel, check.size, check.nmse,
                       bound(check), passes(check) ? "ok" : "OVER", check.result);
}

void verify(const Options& options) {
    const std::shared_ptr<runtime::Device> device = runtime::open_device(options.device);
    const bool is_model = kind_of(options.model) == FileKind::gguf;
    CompileSettings settings = options.settings;
    if (is_model) default_target(settings, options.device);
    const PlanKernels kernels = is_model ? kernels_of_model(options.model, settings)
                                         : kernels_of_plan(options.model, settings, *device);
    codegen::KernelCompiler compiler = open_compiler(kernels.settings);
    const codegen::Target& target = compiler.target();
    if (options.device == "host" ? !codegen::machine_runs(target) : target.name != device->info().target)
        throw Failure(
            ExitCode::bad_input, fmt::format("target {}", target.name),
            fmt::format("the device {} can't run its kernels; verify there, or give another --target",
                        options.device));
    codegen::VerifyOptions how = options.verify;
    if (options.device != "host") how.run = kernel_runner(device, target);
    how.objects = kernels.objects;
    if (!options.json)
        print_result(fmt::format("{:<28} {:>4}  {:>9}  {:>7}  {:<4} {}\n", "kernel", "size", "NMSE", "bound",
                                 "", "result"));
    const auto checks = codegen::verify_kernels(compiler, kernels.specs, how, [&](const auto& check) {
        if (!options.json) print_result(line(check));
    });
    if (options.json) {
        nlohmann::json list = nlohmann::json::array();
        for (const codegen::KernelCheck& check : checks)
            list.push_back({{"kernel", check.kernel},
                            {"key", check.key},
                            {"result", check.result},
                            {"size", check.size},
                            {"nmse", check.nmse}, // infinity, which JSON lacks, becomes null
                            {"bound", bound(check)},
                            {"ok", passes(check)}});
        print_json({{"target", compiler.target().name}, {"checks", list}});
    }
    const auto over = std::count_if(checks.begin(), checks.end(), [](const auto& c) { return !passes(c); });
    if (over > 0)
        throw Failure(ExitCode::failed, options.model.string(),
                      fmt::format("{} of {} results differ from the reference", over, checks.size()));
}

} // namespace

void add_verify(CLI::App& app, Action& chosen) {
    const auto options = std::make_shared<Options>();
    CLI::App& command = *app.add_subcommand("verify", "Judge every kernel by the reference evaluator");
    add_model(command, options->model);
    codegen::VerifyOptions& how = options->verify;
    const auto add = [&](const char* name, auto& value, const char* text, const std::string& doc) {
        return command.add_option(name, value, doc)->option_text(text);
    };
    add("--seed", how.seed, "S", fmt::format("of the random inputs (default: {})", how.seed))
        ->check(whole_number(0, UINT64_MAX));
    add("--threads", how.threads, "N", fmt::format("run a kernel together (default: {})", how.threads))
        ->check(whole_number(1, 256));
    add("--sizes", how.sizes, "N,M",
        fmt::format("tokens of a step, one run for each (default: {})", fmt::join(how.sizes, ",")))
        ->delimiter(',')
        ->check(whole_number());
    add("--device", options->device, "NAME", "where kernels run; ingot devices lists them");
    add_compile_settings(command, options->settings);
    add_json(command, options->json);
    command.footer(
        "Each distinct kernel runs on random input of several sizes; the error is\n"
        "|kernel - reference|^2 / |reference|^2, at most 1e-7 in f32 and 5e-4 with 8-bit activations.\n"
        "Of a plan, its own code is run, and its weights are compared with their checksum.\n"
        "Exit code 1 where a kernel is over its bound.\n"
        "Examples:\n"
        "  ingot verify model.gguf\n"
        "  ingot verify model.ingot --json\n"
        "  ingot verify model.gguf --target x86-64-v3 --threads 1 --sizes 1,16,512");
    command.callback([options, &chosen] { chosen = [options] { verify(*options); }; });
}

} // namespace ingot::tools
