// ingot eval MODEL|PLAN: what the model computes, measured: perplexity, divergence, logits.
#include <algorithm>
#include <memory>
#include <vector>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "frontend/reference_logits.h"
#include "runtime/open_device.h"
#include "runtime/session.h"
#include "runtime/text/tokenizer.h"
#include "tools/commands/commands.h"
#include "tools/commands/common_options.h"
#include "tools/commands/whole_number.h"
#include "tools/driver/failure.h"
#include "tools/driver/input_file.h"
#include "tools/driver/model_graphs.h"
#include "tools/driver/open_plan.h"
#include "tools/driver/progress.h"
#include "tools/eval/npy.h"
#include "tools/eval/perplexity.h"

namespace ingot::tools {

namespace {

namespace fs = std::filesystem;

struct Options {
    fs::path model, text, ids, logits;
    CompileSettings settings;
    std::string device = "host", judge = "host";
    uint32_t context = 512, chunks = 0;
    unsigned threads = 0;
    bool divergence = false, json = false;
};

struct Opened {
    OpenedPlan plan;
    std::unique_ptr<runtime::Session> session;
};

// Every chunk is computed anew, so nothing may be taken from an earlier one.
Opened open(const Options& options, const std::string& device, CompileSettings settings) {
    if (kind_of(options.model) == FileKind::gguf) default_target(settings, device);
    Opened o{.plan = open_plan(options.model, settings, options.json)};
    o.session = runtime::Session::open(load_plan(o.plan, runtime::open_device(device), settings),
                                       {.queue = {.threads = options.threads}, .reuse_prefixes = false});
    return o;
}

std::vector<int32_t> read_ids(const fs::path& path) {
    const auto json = nlohmann::json::parse(read_text(path), nullptr, false);
    const auto is_id = [](const nlohmann::json& v) {
        return v.is_number_unsigned() && v.get<uint64_t>() <= INT32_MAX;
    };
    if (!json.is_array() || json.empty() || !std::all_of(json.begin(), json.end(), is_id))
        throw Failure(ExitCode::bad_input, path.string(), "is not a JSON array of token ids");
    return json.get<std::vector<int32_t>>();
}

// By the reference evaluator, from the graphs as they were imported.
void write_reference_logits(const Options& options, std::span<const int32_t> ids) {
    if (kind_of(options.model) != FileKind::gguf)
        throw Failure(ExitCode::bad_input, options.model.string(),
                      "the reference evaluator needs the model itself, not a plan");
    CompileSettings settings = options.settings;
    settings.precision = "f32";
    const ImportedModel imported = import_file(options.model, settings);
    NpyWriter out(options.logits, ids.size(), static_cast<uint64_t>(imported.model.facts.vocabulary_size));
    Progress progress(options.json);
    frontend::reference_logits(imported.model, ids, 0, [&](size_t index, std::span<const float> logits) {
        out.add_row(logits);
        progress.update("reference", index + 1, ids.size());
    });
    out.finish();
}

void write_session_logits(const Options& options, std::span<const int32_t> ids) {
    const Opened opened = open(options, options.device, options.settings);
    runtime::Session& session = *opened.session;
    NpyWriter out(options.logits, ids.size(), session.vocabulary_size());
    Progress progress(options.json);
    session.logits_for_all(session.create_sequence(), ids,
                           [&](uint32_t index, std::span<const float> logits) {
                               out.add_row(logits);
                               progress.update("logits", index + 1, ids.size());
                           });
    out.finish();
}

void write_logits(const Options& options) {
    if (options.logits.empty())
        throw Failure(ExitCode::bad_input, "--ids", "say with --logits-out where the logits go");
    const std::vector<int32_t> ids = read_ids(options.ids);
    if (options.device == "reference")
        write_reference_logits(options, ids);
    else
        write_session_logits(options, ids);
    if (options.json)
        print_result(nlohmann::json{{"logits", options.logits.string()}, {"positions", ids.size()}}.dump(2) +
                     "\n");
    else
        print_result(options.logits.string() + "\n");
}

nlohmann::json json_of(const Perplexity& p, const Options& options) {
    nlohmann::json out{{"perplexity", p.value}, {"error", p.error},       {"tokens", p.tokens},
                       {"scored", p.scored},    {"ctx", options.context}, {"chunks", p.running.size()},
                       {"running", p.running}};
    if (p.divergence)
        out["divergence"] = {{"mean", p.divergence->mean},
                             {"max", p.divergence->max},
                             {"same_best", p.divergence->same_best},
                             {"reference_perplexity", p.divergence->reference_perplexity}};
    return out;
}

std::string text_of(const Perplexity& p, const Options& options) {
    std::string out = fmt::format("perplexity {:.4f} +- {:.4f} ({} chunks of {}, {} tokens scored)\n",
                                  p.value, p.error, p.running.size(), options.context, p.scored);
    if (p.divergence)
        out += fmt::format("in f32     {:.4f} ({:+.3f}%)\n"
                           "KL         mean {:.6f}, max {:.6f}\n"
                           "same best  {:.3f}%\n",
                           p.divergence->reference_perplexity,
                           (p.value / p.divergence->reference_perplexity - 1) * 100, p.divergence->mean,
                           p.divergence->max, p.divergence->same_best * 100);
    return out;
}

void measure(const Options& options) {
    if (options.device == "reference")
        throw Failure(ExitCode::bad_input, "--device reference",
                      "is for --ids: a whole text would take days");
    CompileSettings exact = options.settings;
    exact.precision = "f32";
    if (options.divergence && kind_of(options.model) != FileKind::gguf)
        throw Failure(ExitCode::bad_input, "--kld",
                      "compares with the model in f32; give the model, not a plan");
    const Opened opened = open(options, options.device, options.settings);
    Opened reference;
    if (options.divergence) {
        if (options.judge != options.device) exact.target.clear(), exact.compiler.clear();
        reference = open(options, options.judge, exact);
    }

    const runtime::Tokenizer tokenizer(runtime::vocabulary_of(opened.plan.file));
    const std::vector<int32_t> ids = tokenizer.encode(read_text(options.text));
    PerplexityOptions how{.context = options.context, .chunks = options.chunks};
    if (adds_bos(tokenizer.vocabulary())) how.bos = tokenizer.vocabulary().bos;
    Progress progress(options.json);
    how.progress = [&](uint64_t done, uint64_t total) { progress.update("chunks", done, total); };
    const Perplexity result = measure_perplexity(*opened.session, ids, how, reference.session.get());
    progress.clear();
    print_result(options.json ? json_of(result, options).dump(2) + "\n" : text_of(result, options));
}

} // namespace

void add_eval(CLI::App& app, Action& chosen) {
    const auto options = std::make_shared<Options>();
    CLI::App& command = *app.add_subcommand("eval", "Measure perplexity and divergence, or write logits");
    add_model(command, options->model);
    CLI::Option* const text =
        command
            .add_option("--file", options->text, "text whose perplexity is measured; - for standard input")
            ->option_text("TEXT");
    command.add_option("--ctx", options->context, "tokens of a chunk (default 512)")
        ->option_text("N")
        ->check(whole_number());
    command.add_option("--chunks", options->chunks, "at most so many chunks (default: all)")
        ->option_text("N")
        ->check(whole_number());
    command.add_flag("--kld", options->divergence,
                     "run the same weights in f32 too: KL divergence and how often the best token agrees");
    command
        .add_option("--judge", options->judge, "where --kld runs them in f32 (default: host, the most exact)")
        ->option_text("D");
    CLI::Option* const ids =
        command.add_option("--ids", options->ids, "JSON array of token ids, whose logits are written")
            ->option_text("FILE")
            ->excludes(text);
    command
        .add_option("--logits-out", options->logits,
                    "where --ids writes: NumPy, float32 [positions, vocabulary]")
        ->option_text("FILE")
        ->needs(ids);
    command
        .add_option(
            "--device", options->device,
            "where to run, as ingot devices lists it (default: host); reference: the evaluator, for judges")
        ->option_text("D");
    command.add_option("--threads", options->threads, "threads (default: one a physical core)")
        ->option_text("N");
    add_compile_settings(command, options->settings);
    add_json(command, options->json);
    command.footer("Perplexity is llama.cpp's: the second half of every chunk predicts its own tokens.\n"
                   "Examples:\n"
                   "  ingot eval model.gguf --file book.txt\n"
                   "  ingot eval model.gguf --file book.txt --kld --json\n"
                   "  ingot eval model.gguf --ids ids.json --logits-out logits.npy --precision f32");
    command.callback([options, text, ids, &chosen] {
        if (text->empty() && ids->empty()) throw CLI::RequiredError("--file or --ids");
        const bool logits = !ids->empty();
        chosen = [options, logits] { logits ? write_logits(*options) : measure(*options); };
    });
}

} // namespace ingot::tools
