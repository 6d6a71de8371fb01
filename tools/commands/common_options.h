// Options that several commands share.
#pragma once

#include <filesystem>
#include <optional>
#include <string>

#include <CLI/CLI.hpp>

#include "runtime/generate.h"
#include "tools/driver/compile_settings.h"
#include "tools/driver/open_plan.h"

namespace ingot::tools {

// The positional MODEL, or MODEL|PLAN where a command takes both.
void add_model(CLI::App& command, std::filesystem::path& path, const char* name = "MODEL|PLAN");
// --target, --compiler, --context, --weights, --precision, --disable-pass, --cache
void add_compile_settings(CLI::App& command, CompileSettings& settings);
void add_cache(CLI::App& command, std::filesystem::path& cache);
void add_json(CLI::App& command, bool& json);

// A text that is given as it is, or as a file.
struct TextInput {
    std::optional<std::string> text;
    std::optional<std::filesystem::path> file; // "-": standard input
};
// -p, -f; not both.
void add_text(CLI::App& command, TextInput& input, const std::string& what);
// Throws Failure{bad_input} where neither was given.
std::string text_of(const TextInput& input);

// -n, --temp, --top-k, --top-p, --min-p, --repeat-penalty, --seed
void add_generation(CLI::App& command, runtime::GenerateOptions& options);
// --device, --threads, --model
void add_session_settings(CLI::App& command, SessionSettings& settings);

} // namespace ingot::tools
