#include "tools/commands/common_options.h"

#include <fmt/format.h>

#include "codegen/targets.h"
#include "tools/commands/whole_number.h"
#include "tools/driver/failure.h"
#include "tools/driver/input_file.h"

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
        .add_option("--compiler", settings.compiler,
                    "llvm, hiprtc or nvrtc (default: the first that is there and knows the target)")
        ->option_text("NAME")
        ->check(CLI::IsMember(codegen::compiler_names()));
    command
        .add_option("--context", settings.context,
                    "most positions of a sequence (default: the model's, at most 4096)")
        ->option_text("N")
        ->check(whole_number());
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

void add_text(CLI::App& command, TextInput& input, const std::string& what) {
    CLI::Option* const text = command.add_option("-p,--prompt", input.text, what)->option_text("TEXT");
    command.add_option("-f,--file", input.file, what + ", from a file; - for standard input")
        ->option_text("FILE")
        ->excludes(text);
}

std::string text_of(const TextInput& input) {
    if (input.text) return *input.text;
    if (input.file) return read_text(*input.file);
    throw Failure(ExitCode::bad_input, "text", "there is none; give -p TEXT or -f FILE");
}

void add_generation(CLI::App& command, runtime::GenerateOptions& options) {
    command.add_option("-n,--tokens", options.most_tokens, "most tokens to generate (default: 256)")
        ->option_text("N")
        ->check(whole_number());
    runtime::SamplerOptions& sampler = options.sampler;
    const auto add = [&](const char* name, auto& value, const char* text, const char* doc) {
        return command.add_option(name, value, fmt::format("{} (default: {})", doc, value))
            ->option_text(text);
    };
    add("--temp", sampler.temperature, "T", "temperature; 0: always the most likely token");
    add("--top-k", sampler.top_k, "K", "choose among the K most likely; 0: all")
        ->check(whole_number(0, INT32_MAX));
    add("--top-p", sampler.top_p, "P", "choose among the fewest that together reach P; 1: all");
    add("--min-p", sampler.min_p, "P", "choose among those with at least P times the best's probability");
    add("--repeat-penalty", sampler.repetition_penalty, "X", "make the last 64 tokens less likely; 1: don't");
    add("--seed", sampler.seed, "S", "the same seed gives the same text")->check(whole_number(0, UINT64_MAX));
}

void add_session_settings(CLI::App& command, SessionSettings& settings) {
    command
        .add_option("--device", settings.device,
                    "where to run; ingot devices lists them (default: " + settings.device + ")")
        ->option_text("NAME");
    command.add_option("--threads", settings.threads, "threads of the host (default: one a core)")
        ->option_text("N")
        ->check(whole_number(1, 1024));
    command.add_flag("--check-launches", settings.check_launches,
                     "on a GPU: wait for each kernel, so that a fault names it; slow");
    command
        .add_option("--model", settings.model,
                    "where the model is now, for a plan whose weights stayed in it")
        ->option_text("FILE");
}

} // namespace ingot::tools
