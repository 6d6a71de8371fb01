// The commands of `ingot`: one file each. To add one, write tools/commands/NAME.cpp, declare it here and list
// it in tools/ingot/main.cpp.
#pragma once

#include <functional>

namespace CLI {
class App;
}

namespace ingot::tools {

// What the chosen command does; it throws where it can't (tools/driver/failure.h).
using Action = std::function<void()>;

// Each adds its subcommand, whose callback sets `chosen`.
void add_bench(CLI::App& app, Action& chosen);
void add_cache_command(CLI::App& app, Action& chosen);
void add_chat(CLI::App& app, Action& chosen);
void add_compile(CLI::App& app, Action& chosen);
void add_completion(CLI::App& app, Action& chosen);
void add_devices(CLI::App& app, Action& chosen);
void add_dump(CLI::App& app, Action& chosen);
void add_eval(CLI::App& app, Action& chosen);
void add_inspect(CLI::App& app, Action& chosen);
void add_opt(CLI::App& app, Action& chosen);
void add_pack(CLI::App& app, Action& chosen);
void add_run(CLI::App& app, Action& chosen);
void add_tokenize(CLI::App& app, Action& chosen);
void add_verify(CLI::App& app, Action& chosen);

} // namespace ingot::tools
