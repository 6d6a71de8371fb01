// ingot: the command. Everything that it does is in tools/commands.
#include <array>
#include <csignal>

#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include "ir/error.h"
#include "tools/commands/commands.h"
#include "tools/driver/build_info.h"
#include "tools/driver/compile_settings.h"
#include "tools/driver/failure.h"

using namespace ingot;
using namespace ingot::tools;

namespace {

constexpr std::array commands = {
    add_bench, add_cache_command, add_chat, add_compile, add_completion, add_devices,  add_dump,
    add_eval,  add_inspect,       add_opt,  add_pack,    add_run,        add_tokenize, add_verify,
};

std::string version_text() {
    std::string text = fmt::format("ingot {}\nbuild {}", version(), program_build_id());
    for (const std::string_view name : codegen::compiler_names()) {
        std::string id;
        try {
            id = compiler_build_id(codegen::compiler_from_name(name), cache_directory({}));
        } catch (const std::exception& e) {
            id = fmt::format("none ({})", e.what());
        }
        text += fmt::format("\n{} {}", name, id);
    }
    return text;
}

// "compile" where the fault is in the options of that command.
std::string where(const CLI::App& app) {
    const auto chosen = app.get_subcommands();
    return chosen.empty() ? "" : chosen.front()->get_name();
}

} // namespace

int main(int argc, char** argv) {
    // A file larger than the user's limit is then an error of write() like a full disk, and is reported.
    std::signal(SIGXFSZ, SIG_IGN);
    CLI::App app("Compiles GGUF language models to plans, and runs them.", "ingot");
    app.require_subcommand(1);
    app.set_version_flag("--version", version_text, "print version, build and compilers");
    app.footer("Examples:\n"
               "  ingot run model.gguf -p 'Once upon a time' -n 64\n"
               "  ingot compile model.gguf -o model.ingot\n"
               "  ingot COMMAND --help\n"
               "Exit codes: 0 all right, 1 failed, 2 bad usage or bad input.");
    Action chosen;
    for (const auto add : commands)
        add(app, chosen);
    try {
        app.parse(argc, argv);
    } catch (const CLI::Success& e) { // --help, --version
        return static_cast<int>(guarded([&] { app.exit(e); }));
    } catch (const CLI::ParseError& e) {
        const std::string command = where(app);
        print_error(fmt::format("{}{}{} (see ingot {}{}--help)", command, command.empty() ? "" : ": ",
                                e.what(), command, command.empty() ? "" : " "));
        return static_cast<int>(ExitCode::bad_input);
    }
    return static_cast<int>(guarded(chosen));
}
