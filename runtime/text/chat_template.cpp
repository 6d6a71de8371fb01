#include "runtime/text/chat_template.h"

#include "runtime/error.h"
#include "runtime/text/jinja/parser.h"
#include "runtime/text/jinja/source_error.h"
#include "runtime/text/utf8.h"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

namespace ingot::runtime {
namespace {

using jinja::Entries;
using jinja::Items;
using jinja::MarkedText;
using jinja::None;
using jinja::Value;

constexpr std::size_t most_source_bytes = std::size_t{1} << 20;

bool is_plain_role(std::string_view role) {
    return std::ranges::all_of(role, [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
               c == '-';
    });
}

jinja::Entry entry(std::string name, Value value) {
    return {.key = MarkedText(std::move(name), true), .value = std::move(value)};
}

Value template_text(const std::string& text) {
    return Value::text(MarkedText(text, true));
}

Value message_value(const ChatMessage& message) {
    Entries entries = {entry("role", Value::text(MarkedText(message.role, is_plain_role(message.role)))),
                       entry("content", Value::message(message.content))};
    entries.insert(entries.end(), message.fields.begin(), message.fields.end());
    return Value::dict(std::move(entries));
}

Entries variables_of(const ChatInput& input) {
    Items messages;
    for (const ChatMessage& message : input.messages)
        messages.push_back(message_value(message));
    Entries variables = input.variables; // first, so that they win
    variables.push_back(entry("messages", Value::list(std::move(messages))));
    variables.push_back(entry("bos_token", template_text(input.bos_token)));
    variables.push_back(entry("eos_token", template_text(input.eos_token)));
    variables.push_back(entry("add_generation_prompt", Value(input.add_generation_prompt)));
    variables.push_back(entry("tools", Value(None{})));
    variables.push_back(entry("documents", Value(None{})));
    return variables;
}

void check_source(std::string_view source, const std::string& name) {
    if (source.size() > most_source_bytes) {
        throw Error(
            Code::unsupported, name,
            fmt::format("a chat template of {} bytes; up to {} are taken", source.size(), most_source_bytes));
    }
    for (std::size_t at = 0; at < source.size();) {
        const Utf8Char c = decode_utf8(source.substr(at));
        if (!c.well_formed)
            throw jinja::source_error(Code::bad_file, name, source, at, "the chat template is not UTF-8");
        at += c.length;
    }
}

} // namespace

ChatTemplate ChatTemplate::parse(std::string_view source, std::string name) {
    check_source(source, name);
    return ChatTemplate(std::make_shared<const jinja::Template>(jinja::parse(source, std::move(name))));
}

std::vector<TextSegment> ChatTemplate::render(const ChatInput& input,
                                              const jinja::RenderLimits& limits) const {
    const MarkedText text = jinja::render(*parsed_, variables_of(input), input.now, limits);
    std::vector<TextSegment> segments;
    text.each_run([&](std::string_view run, bool is_template) {
        segments.push_back({.text = std::string(run), .is_template = is_template});
    });
    return segments;
}

} // namespace ingot::runtime
