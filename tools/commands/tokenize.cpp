// ingot tokenize MODEL|PLAN: text to token ids.
#include <memory>

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <nlohmann/json.hpp>

#include "tools/commands/commands.h"
#include "tools/commands/common_options.h"
#include "tools/driver/failure.h"
#include "tools/driver/open_tokenizer.h"

namespace ingot::tools {

namespace {

struct Options {
    std::filesystem::path model;
    TextInput text;
    bool no_special = false, no_bos = false, json = false;
};

void tokenize(const Options& options) {
    const std::string text = text_of(options.text);
    const runtime::Tokenizer tokenizer = open_tokenizer(options.model);
    const std::vector<int32_t> ids =
        tokenizer.encode(text, {.add_special = !options.no_bos, .parse_special = !options.no_special});
    if (!options.json) {
        print_result(fmt::format("[{}]\n", fmt::join(ids, ", ")));
        return;
    }
    std::vector<std::string> pieces;
    for (const int32_t id : ids)
        pieces.push_back(tokenizer.piece(id, true));
    print_json({{"ids", ids}, {"pieces", pieces}});
}

} // namespace

void add_tokenize(CLI::App& app, Action& chosen) {
    const auto options = std::make_shared<Options>();
    CLI::App& command = *app.add_subcommand("tokenize", "Turn text into token ids");
    add_model(command, options->model);
    add_text(command, options->text, "the text");
    command.add_flag("--no-special", options->no_special,
                     "special tokens in the text, like <|im_end|>, are plain text");
    command.add_flag("--no-bos", options->no_bos,
                     "no token before or after the text, whatever the vocabulary wants");
    add_json(command, options->json);
    command.footer(
        "Prints a JSON array of ids; with --json an object that has each token's text too. A GGUF file "
        "that holds nothing but a vocabulary will do.\n"
        "Examples:\n"
        "  ingot tokenize model.gguf -p 'Hello, world'\n"
        "  ingot tokenize model.gguf -f - --no-special < prompt.txt");
    command.callback([options, &chosen] { chosen = [options] { tokenize(*options); }; });
}

} // namespace ingot::tools
