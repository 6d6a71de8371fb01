// ingot run MODEL|PLAN: a text goes on.
#include <chrono>
#include <cstdio>
#include <memory>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "runtime/generate.h"
#include "tools/commands/commands.h"
#include "tools/commands/common_options.h"
#include "tools/driver/failure.h"
#include "tools/driver/input_file.h"
#include "tools/driver/open_plan.h"

namespace ingot::tools {

namespace {

struct Options {
    std::filesystem::path model;
    CompileSettings settings;
    TextInput text;
    SessionSettings session;
    runtime::GenerateOptions generate;
    bool json = false;
};

double rate(size_t count, double seconds) {
    return seconds > 0 ? static_cast<double>(count) / seconds : 0;
}

void run(const Options& options) {
    const std::string prompt = text_of(options.text);
    const auto start = std::chrono::steady_clock::now();
    CompileSettings settings = options.settings;
    if (kind_of(options.model) == FileKind::gguf) default_target(settings, options.session.device);
    const OpenedPlan plan = open_plan(options.model, settings, options.json);
    const double compile_seconds = plan.compiled ? plan.compiled->seconds : 0;
    if (plan.compiled) print_note(text(*plan.compiled));
    const runtime::Tokenizer tokenizer(runtime::vocabulary_of(plan.file));
    const std::vector<int32_t> ids = tokenizer.encode(prompt);
    if (ids.empty()) throw Failure(ExitCode::bad_input, "prompt", "it is empty; give some text");
    const auto session = open_session(plan, options.session, settings);
    const double open_seconds =
        std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count() - compile_seconds;

    runtime::TextDecoder decoder(tokenizer, {.special = false, .at_start = false});
    std::string answer;
    runtime::GenerateOptions generate_options = options.generate;
    const auto say = [&](const std::string& piece) {
        answer += piece;
        if (options.json || piece.empty()) return;
        print_result(piece);
        std::fflush(stdout);
    };
    generate_options.on_token = [&](int32_t id) {
        say(decoder.push(id));
        return true;
    };
    const runtime::Generated out =
        generate(*session, session->create_sequence(), tokenizer, ids, generate_options);
    say(decoder.flush());

    const size_t computed = ids.size() - out.reused;
    if (!options.json) {
        print_result("\n");
        finish_output();
        print_note(fmt::format("{} prompt tokens at {:.1f} tok/s, {} tokens at {:.1f} tok/s, open {:.0f} ms, "
                               "first token after {:.0f} ms, {} threads, stopped by {}",
                               ids.size(), rate(computed, out.prompt_seconds), out.ids.size(),
                               rate(out.steps, out.decode_seconds), open_seconds * 1e3,
                               (open_seconds + out.prompt_seconds) * 1e3, session->threads(),
                               text(out.stop)));
        return;
    }
    const nlohmann::json result = {{"prompt_ids", ids},
                                   {"ids", out.ids},
                                   {"text", answer},
                                   {"stop", text(out.stop)},
                                   {"timings",
                                    {{"compile_seconds", compile_seconds},
                                     {"open_seconds", open_seconds},
                                     {"prompt_seconds", out.prompt_seconds},
                                     {"prompt_tokens_per_second", rate(computed, out.prompt_seconds)},
                                     {"decode_seconds", out.decode_seconds},
                                     {"decode_steps", out.steps},
                                     {"decode_tokens_per_second", rate(out.steps, out.decode_seconds)}}},
                                   {"threads", session->threads()},
                                   {"device_allocations", session->device_allocations()},
                                   {"memory_bytes", session->memory_bytes()}};
    print_json(result);
}

} // namespace

void add_run(CLI::App& app, Action& chosen) {
    const auto options = std::make_shared<Options>();
    CLI::App& command = *app.add_subcommand("run", "Let a model go on with a text");
    add_model(command, options->model);
    add_text(command, options->text, "the text to go on with");
    add_generation(command, options->generate);
    add_session_settings(command, options->session);
    add_compile_settings(command, options->settings);
    add_json(command, options->json);
    command.footer(
        "A model is compiled on first use; the plan is kept in the cache. The text is taken as it is, "
        "special tokens in it included: see ingot chat for conversations.\n"
        "Examples:\n"
        "  ingot run model.gguf -p 'The capital of France is' -n 30 --temp 0\n"
        "  ingot run model.ingot -f story.txt --seed 7 --threads 4\n"
        "  ingot run model.gguf -p 'def f(x):' --json");
    command.callback([options, &chosen] { chosen = [options] { run(*options); }; });
}

} // namespace ingot::tools
