// ingot chat MODEL|PLAN: a conversation, by the model's own chat template.
#include <cstdio>
#include <iostream>
#include <memory>
#include <optional>

#include <fmt/format.h>
#include <nlohmann/json.hpp>
#include <unistd.h>

#include "runtime/error.h"
#include "tools/commands/commands.h"
#include "tools/commands/common_options.h"
#include "tools/driver/conversation.h"
#include "tools/driver/failure.h"
#include "tools/driver/input_file.h"
#include "tools/driver/open_plan.h"

namespace ingot::tools {

namespace {

struct Options {
    std::filesystem::path model;
    CompileSettings settings;
    TextInput message;
    SessionSettings session;
    runtime::GenerateOptions generate;
    std::string system;
    bool json = false;
};

constexpr const char* help =
    "/clear begins anew, /system TEXT does so with a system message, /exit or the end of "
    "the input ends. Anything else is said to the model.\n";

void say(const std::string& piece) {
    print_result(piece);
    std::fflush(stdout);
}

void print_statistics(const Conversation::Answer& a) {
    const runtime::Generated& g = a.generated;
    const auto rate = [](size_t count, double seconds) {
        return seconds > 0 ? static_cast<double>(count) / seconds : 0;
    };
    print_note(fmt::format("{} of {} prompt tokens at {:.1f} tok/s, {} tokens at {:.1f} tok/s, stopped by {}",
                           a.computed, a.prompt_ids.size(), rate(a.computed, g.prompt_seconds), g.ids.size(),
                           rate(g.steps, g.decode_seconds), text(g.stop)));
}

// One message, one answer.
void answer_once(Conversation& conversation, const std::string& message, const Options& options) {
    const Conversation::Answer a =
        conversation.ask(message, options.generate, options.json ? [](const std::string&) {} : say);
    if (!options.json) {
        print_result("\n");
        finish_output();
        print_statistics(a);
        return;
    }
    print_json({{"prompt_ids", a.prompt_ids},
                {"ids", a.generated.ids},
                {"text", a.text},
                {"stop", text(a.generated.stop)},
                {"timings",
                 {{"prompt_seconds", a.generated.prompt_seconds},
                  {"decode_seconds", a.generated.decode_seconds},
                  {"decode_steps", a.generated.steps}}}});
}

// What was typed with a slash; false where it is no such command.
bool follow(Conversation& conversation, const std::string& line, const Options& options) {
    if (line == "/clear") {
        conversation.restart(options.system);
    } else if (line.starts_with("/system ")) {
        conversation.restart(line.substr(8));
    } else if (line == "/help") {
        std::fputs(help, stderr);
    } else {
        return false;
    }
    return true;
}

void converse(Conversation& conversation, const Options& options) {
    const bool terminal = ::isatty(STDIN_FILENO) != 0;
    if (terminal) std::fputs(help, stderr);
    std::string line;
    for (;;) {
        if (terminal) std::fputs("> ", stderr);
        if (!std::getline(std::cin, line) || line == "/exit") break;
        if (line.empty() || follow(conversation, line, options)) continue;
        try {
            answer_once(conversation, line, options);
        } catch (const Failure& e) {
            // The conversation goes on where it was before the message, but a script should not take that for
            // an answer.
            if (!terminal) throw;
            print_error(e.what());
        }
    }
    if (terminal) std::fputs("\n", stderr);
}

void chat(const Options& options) {
    CompileSettings settings = options.settings;
    if (kind_of(options.model) == FileKind::gguf) default_target(settings, options.session.device);
    const OpenedPlan plan = open_plan(options.model, settings, options.json);
    if (plan.compiled) print_note(text(*plan.compiled));
    Conversation conversation(plan.file, open_session(plan, options.session, settings));
    conversation.restart(options.system);
    if (options.message.text || options.message.file)
        answer_once(conversation, text_of(options.message), options);
    else
        converse(conversation, options);
}

} // namespace

void add_chat(CLI::App& app, Action& chosen) {
    const auto options = std::make_shared<Options>();
    CLI::App& command = *app.add_subcommand("chat", "Talk with a model");
    add_model(command, options->model);
    // Without a message the conversation is read line by line.
    auto& message = *command.add_option_group("message");
    message
        .add_option("-p,--prompt", options->message.text,
                    "one message; without it the input is read by lines")
        ->option_text("TEXT");
    message.add_option("-f,--file", options->message.file, "one message, from a file; - for standard input")
        ->option_text("FILE");
    message.require_option(0, 1);
    command.add_option("--system", options->system, "the system message, before all others")
        ->option_text("TEXT");
    add_generation(command, options->generate);
    add_session_settings(command, options->session);
    add_compile_settings(command, options->settings);
    add_json(command, options->json);
    command.footer(
        "Messages go through the chat template in the model's file. What reads like a special token in "
        "a message stays text.\n"
        "Examples:\n"
        "  ingot chat model.gguf\n"
        "  ingot chat model.gguf --system 'Answer in one sentence.' -p 'What is gravity?'\n"
        "  printf 'Hello!\\nWhat did I say?\\n' | ingot chat model.gguf --temp 0");
    command.callback([options, &chosen] { chosen = [options] { chat(*options); }; });
}

} // namespace ingot::tools
