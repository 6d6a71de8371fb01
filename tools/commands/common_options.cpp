#include "tools/commands/common_options.h"

#include "codegen/targets.h"

namespace ingot::tools {

void add_model(CLI::App& command, std::filesystem::path& path, const char* name) {
    command
        .add_option(name, path,
                    std::string_view(name) == "MODEL" ? "a GGUF model" : "a GGUF model, or a compiled plan")
        ->required()
        ->option_text(" ");
}

void add_compile_settings(CLI::App& command, CompileSettings& settings) {
    std::string targets;
    for (const codegen::Target& t : codegen::all_targets())
        targets += (targets.empty() ? "" : ", ") + std::string(t.name);
    command
        .add_option("--target", settings.target,
                    "machine to compile for: " + targets + " (default: what this machine has)")
        ->option_text("T");
    command
        .add_option("--context", settings.context,
                    "most positions of a sequence (default: the model's, at most 4096)")
        ->option_text("N")
        ->check(CLI::PositiveNumber);
    command
        .add_option("--weights", settings.weights,
                    "embedded: the plan holds them and stands alone (default); external: they stay in the "
                    "model file")
        ->option_text("embedded|external")
        ->check(CLI::IsMember({"embedded", "external"}));
    command
        .add_option("--precision", settings.precision,
                    "default: activations in 8 bits where weights are quantised; f32: for judges, slow")
        ->option_text("default|f32")
        ->check(CLI::IsMember({"default", "f32"}));
    command
        .add_option("--disable-pass", settings.disabled_passes,
                    "leave out a pass of the pipeline; may be given several times")
        ->option_text("NAME")
        ->allow_extra_args(false);
    add_cache(command, settings.cache);
}

void add_cache(CLI::App& command, std::filesystem::path& cache) {
    command
        .add_option("--cache", cache,
                    "folder of compiled kernels and plans (default: $XDG_CACHE_HOME/ingot or ~/.cache/ingot)")
        ->option_text("DIR");
}

void add_json(CLI::App& command, bool& json) {
    command.add_flag("--json", json, "print the result as JSON");
}

} // namespace ingot::tools
