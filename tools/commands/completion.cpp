// ingot completion SHELL: a script that completes commands and options, made from the commands themselves.
#include <algorithm>
#include <memory>
#include <vector>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "tools/commands/commands.h"
#include "tools/commands/common_options.h"
#include "tools/driver/failure.h"

namespace ingot::tools {

namespace {

struct Command {
    std::string path;               // "compile", "cache list"; empty for ingot itself
    std::vector<std::string> words; // subcommands, then options
    std::vector<std::pair<std::string, std::string>> subcommands, options; // name and description
};

// In single quotes, as all three shells read it.
std::string in_quotes(std::string_view text) {
    std::string out = "'";
    for (const char c : text)
        out += c == '\'' ? "'\\''" : std::string(1, c);
    return out + "'";
}

void collect(const CLI::App& app, const std::string& path, std::vector<Command>& out) {
    Command command{.path = path, .words = {}, .subcommands = {}, .options = {}};
    for (const CLI::App* sub : app.get_subcommands(nullptr))
        command.subcommands.emplace_back(sub->get_name(), sub->get_description());
    for (const CLI::Option* option : app.get_options())
        for (const std::string& name : option->get_lnames())
            command.options.emplace_back("--" + name, option->get_description());
    for (const auto& list : {command.subcommands, command.options})
        for (const auto& [name, description] : list)
            command.words.push_back(name);
    out.push_back(std::move(command));
    for (const CLI::App* sub : app.get_subcommands(nullptr))
        collect(*sub, path.empty() ? sub->get_name() : path + " " + sub->get_name(), out);
}

std::string bash(const std::vector<Command>& commands) {
    std::string cases;
    for (const Command& c : commands)
        cases += fmt::format("        '{}') words='{}' ;;\n", c.path, fmt::join(c.words, " "));
    return fmt::format(R"(# bash completion of ingot: source <(ingot completion bash)
_ingot() {{
    local current=${{COMP_WORDS[COMP_CWORD]}} path= words= i
    for ((i = 1; i < COMP_CWORD; i++)); do
        [[ ${{COMP_WORDS[i]}} == -* ]] && break
        [[ $path == cache || -z $path ]] || break
        path="${{path:+$path }}${{COMP_WORDS[i]}}"
    done
    case "$path" in
{}    esac
    COMPREPLY=($(compgen -W "$words" -- "$current"))
    [[ $current == -* || -z $path || $path == cache ]] || COMPREPLY+=($(compgen -f -- "$current"))
}}
complete -o filenames -F _ingot ingot
)",
                       cases);
}

std::string zsh(const std::vector<Command>& commands) {
    std::string cases;
    for (const Command& c : commands) {
        std::vector<std::string> described;
        for (const auto& list : {c.subcommands, c.options})
            for (const auto& [name, description] : list)
                described.push_back(in_quotes(fmt::format("{}:{}", name, description)));
        cases += fmt::format("        '{}') list=({}) ;;\n", c.path, fmt::join(described, " "));
    }
    return fmt::format(R"(#compdef ingot
# zsh completion of ingot: source <(ingot completion zsh)
_ingot() {{
    local path_words= word
    local -a list
    for word in "${{(@)words[2,CURRENT-1]}}"; do
        [[ $word == -* ]] && break
        [[ $path_words == cache || -z $path_words ]] || break
        path_words="${{path_words:+$path_words }}$word"
    done
    case "$path_words" in
{}    esac
    _describe 'ingot' list
    _files
}}
compdef _ingot ingot
)",
                       cases);
}

std::string fish(const std::vector<Command>& commands) {
    std::string out = "# fish completion of ingot: ingot completion fish | source\n";
    for (const Command& c : commands) {
        std::string condition = "__fish_use_subcommand";
        if (!c.path.empty()) {
            condition.clear();
            for (size_t at = 0; at <= c.path.size();) {
                const size_t end = std::min(c.path.find(' ', at), c.path.size());
                condition += fmt::format("{}__fish_seen_subcommand_from {}",
                                         condition.empty() ? "" : "; and ", c.path.substr(at, end - at));
                at = end + 1;
            }
        }
        for (const auto& [name, description] : c.subcommands)
            out += fmt::format("complete -c ingot -n '{}' -a {} -d {}\n", condition, name,
                               in_quotes(description));
        for (const auto& [name, description] : c.options)
            out += fmt::format("complete -c ingot -n '{}' -l {} -d {}\n", condition, name.substr(2),
                               in_quotes(description));
    }
    return out;
}

} // namespace

void add_completion(CLI::App& app, Action& chosen) {
    const auto shell = std::make_shared<std::string>();
    CLI::App& command = *app.add_subcommand("completion", "Print a script that completes ingot's commands");
    command.add_option("SHELL", *shell, "bash, zsh or fish")
        ->option_text(" ")
        ->required()
        ->check(CLI::IsMember({"bash", "zsh", "fish"}));
    command.footer("Examples:\n"
                   "  source <(ingot completion bash)\n"
                   "  ingot completion fish | source");
    command.callback([shell, &app, &chosen] {
        chosen = [shell, &app] {
            std::vector<Command> commands;
            collect(app, "", commands);
            print_result(*shell == "bash"  ? bash(commands)
                         : *shell == "zsh" ? zsh(commands)
                                           : fish(commands));
        };
    });
}

} // namespace ingot::tools
