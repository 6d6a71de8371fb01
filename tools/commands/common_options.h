// Options that several commands share.
#pragma once

#include <filesystem>

#include <CLI/CLI.hpp>

#include "tools/driver/compile_settings.h"

namespace ingot::tools {

// The positional MODEL, or MODEL|PLAN where a command takes both.
void add_model(CLI::App& command, std::filesystem::path& path, const char* name = "MODEL|PLAN");
// --target, --context, --weights, --precision, --disable-pass, --cache
void add_compile_settings(CLI::App& command, CompileSettings& settings);
void add_cache(CLI::App& command, std::filesystem::path& cache);
void add_json(CLI::App& command, bool& json);

} // namespace ingot::tools
