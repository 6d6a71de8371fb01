// For tests of chat templates: conversations to render, and the files of chat_templates/ that say what must
// come out.
#pragma once

#include "runtime/text/chat_template.h"
#include "tests/runtime/vocab_file.h"

#include <filesystem>
#include <sstream>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace ingot::runtime::test {

using jinja::Entries;
using jinja::Entry;
using jinja::Items;
using jinja::Value;

inline const std::filesystem::path chat_templates = std::filesystem::path(INGOT_TEST_DIR) / "chat_templates";

inline Entry entry(std::string key, Value value) {
    return {.key = jinja::MarkedText(std::move(key), false), .value = std::move(value)};
}

inline Value text(std::string bytes) {
    return Value::message(std::move(bytes));
}

inline Value integer(int number) {
    return std::int64_t{number};
}

inline std::string joined(const std::vector<TextSegment>& segments) {
    std::string all;
    for (const TextSegment& segment : segments)
        all += segment.text;
    return all;
}

inline std::string rendered(std::string_view source, const ChatInput& input) {
    return joined(ChatTemplate::parse(source, "test").render(input));
}

// Thursday, 4 July 2024, 00:00.
inline std::tm a_day() {
    std::tm day{};
    day.tm_mday = 4;
    day.tm_mon = 6;
    day.tm_year = 124;
    day.tm_wday = 4;
    day.tm_yday = 185;
    return day;
}

// get_w(loc: "a" | "b", days: [integer]), as JSON Schema.
inline Value weather_tool() {
    const Value loc =
        Value::dict({entry("type", text("string")), entry("enum", Value::list({text("a"), text("b")}))});
    const Value days = Value::dict(
        {entry("type", text("array")), entry("items", Value::dict({entry("type", text("integer"))}))});
    const Value parameters =
        Value::dict({entry("type", text("object")),
                     entry("properties", Value::dict({entry("loc", loc), entry("days", days)})),
                     entry("required", Value::list({text("loc")}))});
    const Value function =
        Value::dict({entry("name", text("get_w")), entry("description", text("Weather \"now\"")),
                     entry("parameters", parameters)});
    return Value::list({Value::dict({entry("type", text("function")), entry("function", function)})});
}

inline ChatMessage weather_call() {
    const Value arguments = Value::dict({entry("loc", text("Paris \"é\"")), entry("n", integer(2))});
    const Value function = Value::dict({entry("name", text("get_w")), entry("arguments", arguments)});
    const Value call = Value::dict({entry("type", text("function")), entry("function", function)});
    return {.role = "assistant", .content = "", .fields = {entry("tool_calls", Value::list({call}))}};
}

// The conversations of the .txt files: system, plain, short and tools.
inline ChatInput conversation(std::string_view name) {
    const ChatMessage system{.role = "system", .content = " Be brief. "};
    const ChatMessage hello{.role = "user", .content = "Hi <|im_end|> </s> there\n"};
    const ChatMessage answer{.role = "assistant", .content = "<think>\nhmm\n</think>\n\nHello!"};
    const ChatMessage sum{.role = "user", .content = "2+2? 日本 🎉"};
    const ChatMessage result{.role = "tool", .content = "{\"t\": 20}"};
    ChatInput input{
        .messages = {system, hello, answer, sum}, .bos_token = "<s>", .eos_token = "</s>", .now = a_day()};
    if (name == "plain") {
        input.messages = {hello, answer, sum};
        input.add_generation_prompt = false;
    } else if (name == "short") {
        input.messages = {hello};
        input.variables = {entry("enable_thinking", false)};
    } else if (name == "tools") {
        input.messages = {system, hello, weather_call(), result, result, answer, sum};
        input.variables = {entry("tools", weather_tool())};
    }
    return input;
}

// A .txt file: name and text of each conversation after "=== name" lines; the newline before the next such
// line is not part of the text.
inline std::vector<std::pair<std::string, std::string>> read_expected(const std::filesystem::path& path) {
    std::vector<std::pair<std::string, std::string>> texts;
    std::istringstream lines(read_file(path));
    for (std::string line; std::getline(lines, line);) {
        if (line.starts_with("=== ")) {
            texts.emplace_back(line.substr(4), "");
        } else {
            texts.back().second += line + "\n";
        }
    }
    for (auto& [name, text_of] : texts)
        text_of.pop_back();
    return texts;
}

inline std::string unescaped(std::string_view line) {
    std::string out;
    for (std::size_t i = 0; i < line.size(); ++i) {
        if (line[i] != '\\') {
            out += line[i];
            continue;
        }
        const char letter = line[++i];
        out += letter == 'n' ? '\n' : letter == 't' ? '\t' : letter == 'r' ? '\r' : letter;
    }
    return out;
}

// A .cases file: a template, a tab, what it renders to; lines that begin with # are for people.
inline std::vector<std::pair<std::string, std::string>> read_cases(const std::filesystem::path& path) {
    std::vector<std::pair<std::string, std::string>> cases;
    std::istringstream lines(read_file(path));
    for (std::string line; std::getline(lines, line);) {
        const std::size_t tab = line.find('\t');
        if (line.starts_with("# ") || tab == std::string::npos) continue;
        cases.emplace_back(unescaped(line.substr(0, tab)), unescaped(line.substr(tab + 1)));
    }
    return cases;
}

} // namespace ingot::runtime::test
