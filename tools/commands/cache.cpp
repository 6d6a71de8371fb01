// ingot cache list|clear|path: compiled plans and kernels.
#include <memory>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "codegen/kernel_cache.h"
#include "plan_generated.h"
#include "runtime/error.h"
#include "runtime/plan_file.h"
#include "tools/commands/commands.h"
#include "tools/commands/common_options.h"
#include "tools/driver/failure.h"
#include "tools/driver/plan_cache.h"

namespace ingot::tools {

namespace {

struct Options {
    CompileSettings settings; // the folder alone
    bool json = false;
};

double mib(uint64_t bytes) {
    return static_cast<double>(bytes) / (1 << 20);
}

nlohmann::json json_of(const CachedPlan& cached) {
    nlohmann::json out = {{"path", cached.path.string()}, {"bytes", cached.bytes}};
    try {
        const auto file = runtime::PlanFile::open(cached.path);
        const plan::Plan& plan = file->description();
        out.update({{"model", plan.model_name()->str()},
                    {"target", plan.target()->str()},
                    {"context", plan.context()},
                    {"precision", plan.precision()->str()},
                    {"weights", plan.external() != nullptr ? "external" : "embedded"}});
    } catch (const runtime::Error& e) {
        out["error"] = e.what();
    }
    return out;
}

std::string line(const nlohmann::json& plan) {
    const std::string path = plan["path"];
    if (plan.contains("error")) return fmt::format("{:>9.1f} MiB  unusable  {}\n", mib(plan["bytes"]), path);
    return fmt::format("{:>9.1f} MiB  {}, {}, context {}, precision {}, weights {}  {}\n", mib(plan["bytes"]),
                       plan["model"].get<std::string>(), plan["target"].get<std::string>(),
                       plan["context"].get<uint32_t>(), plan["precision"].get<std::string>(),
                       plan["weights"].get<std::string>(), path);
}

void list(const Options& options) {
    const std::filesystem::path cache = cache_directory(options.settings);
    nlohmann::json plans = nlohmann::json::array();
    for (const CachedPlan& plan : list_plans(cache))
        plans.push_back(json_of(plan));
    const codegen::KernelCache kernels(cache);
    const size_t count = kernels.list().size();
    const uint64_t bytes = kernels.bytes();
    if (options.json) {
        print_json(
            {{"path", cache.string()}, {"plans", plans}, {"kernels", {{"count", count}, {"bytes", bytes}}}});
        return;
    }
    for (const nlohmann::json& plan : plans)
        print_result(line(plan));
    print_result(fmt::format("{:>9.1f} MiB  {} kernels\n", mib(bytes), count));
}

void clear(const Options& options) {
    const std::filesystem::path cache = cache_directory(options.settings);
    const uint64_t bytes = clear_plans(cache) + codegen::KernelCache(cache).clear();
    options.json ? print_json({{"freed_bytes", bytes}})
                 : print_result(fmt::format("freed {:.1f} MiB\n", mib(bytes)));
}

void path(const Options& options) {
    const std::string cache = cache_directory(options.settings).string();
    options.json ? print_json({{"path", cache}}) : print_result(cache + "\n");
}

} // namespace

void add_cache_command(CLI::App& app, Action& chosen) {
    const auto options = std::make_shared<Options>();
    CLI::App& command = *app.add_subcommand("cache", "List or clear compiled plans and kernels");
    command.require_subcommand(1);
    const auto add = [&](const char* name, const char* doc, void (*run)(const Options&)) {
        CLI::App& sub = *command.add_subcommand(name, doc);
        add_cache(sub, options->settings.cache);
        add_json(sub, options->json);
        sub.callback([options, run, &chosen] { chosen = [options, run] { run(*options); }; });
    };
    add("list", "Say which plans and how many kernels are there", list);
    add("clear", "Remove all of them; models are left alone", clear);
    add("path", "Print the cache's folder", path);
    command.footer(
        "Plans lie under a key over all that they depend on, so an old one is never used by mistake; it "
        "only takes room.\n"
        "Examples:\n"
        "  ingot cache list\n"
        "  ingot cache clear");
}

} // namespace ingot::tools
