// The chat template that a model's file brings: a conversation to the prompt that the model was trained on.
//
// A subset of Jinja, rendered as Hugging Face's apply_chat_template does it (trim_blocks, lstrip_blocks, loop
// controls, the sandbox's immutable values, its tojson): for with else, if and unpacking, `loop`;
// if/elif/else; set, set blocks and namespace(); macros; break, continue; generation; raw; comments; all
// expressions; the filters, tests, methods and functions of jinja/filters.cpp, sequence_filters.cpp,
// tests.cpp, methods.cpp and functions.cpp. Anything else is refused when it is parsed: include, import,
// extends, block, call, filter and with tags, recursive loops, macros inside loops, `*` arguments, names of
// filters and so on that aren't known.
//
// Where it differs from Jinja under Python, on purpose:
// - integers have 64 bits and keys of dictionaries are strings, else an error; no `%` formatting;
// - a method without a call is an error, not an object; so object["items"] is the key or undefined;
// - what is a generator in Jinja is a list; `safe` is `string`; an undefined argument counts as absent;
// - case is mapped character by character (Unicode's simple mappings), names of variables are ASCII;
// - messages may hold any bytes: each ill-formed part counts as one character and is kept.
#pragma once

#include "runtime/text/jinja/interpreter.h"
#include "runtime/text/jinja/value.h"
#include "runtime/text/text_segment.h"

#include <ctime>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace ingot::runtime {

struct ChatMessage {
    std::string role; // "system", "user", "assistant", ...
    std::string content;
    jinja::Entries fields = {}; // what else a template may look at, such as tool_calls
};

struct ChatInput {
    std::vector<ChatMessage> messages;
    std::string bos_token; // as the vocabulary spells them; empty where there is none
    std::string eos_token;
    bool add_generation_prompt = true; // ends with what opens the assistant's turn
    std::optional<std::tm> now =
        {}; // for templates that write the date; without it they have a default or refuse
    // More variables, such as `tools`; these go before the ones made from the above. Without a value `tools`
    // and `documents` are none.
    jinja::Entries variables = {};
};

// Immutable, so threads may share it. Copies share what was parsed.
class ChatTemplate {
  public:
    // `name` stands in front of errors, for example the model file's. Throws Error{bad_file} for what is no
    // Jinja or not UTF-8, Error{unsupported} for what is outside of the subset or above 1 MiB; both name line
    // and column.
    static ChatTemplate parse(std::string_view source, std::string name);

    // The prompt. What the template wrote is marked so, and may hold control tokens; what comes from a
    // message is not. Numbers and the punctuation of JSON count as the template's, and so does a role of
    // letters, digits, `_` and `-` only, because templates build control tokens of it ("<|" + role + "|>").
    // Throws Error{invalid_argument} where the template refuses the conversation, Error{unsupported} at a
    // limit; both name line and column in the template.
    std::vector<TextSegment> render(const ChatInput& input, const jinja::RenderLimits& limits = {}) const;

  private:
    explicit ChatTemplate(std::shared_ptr<const jinja::Template> parsed) : parsed_(std::move(parsed)) {}

    std::shared_ptr<const jinja::Template> parsed_;
};

} // namespace ingot::runtime
