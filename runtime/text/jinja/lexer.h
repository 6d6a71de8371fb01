// A template's source as tokens, with Jinja's whitespace control as chat templates rely on it: trim_blocks
// and lstrip_blocks on (as Hugging Face's apply_chat_template sets them), `-` and `+` at the tags' ends.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace ingot::runtime::jinja {

enum class TokenKind {
    data,        // text outside of tags; `text` is what is left of it after whitespace control
    print_begin, // {{
    print_end,
    tag_begin, // {%
    tag_end,
    name,
    string, // `text` is its value
    integer,
    real,
    op, // an operator or bracket
    end // of the template
};

struct Token {
    TokenKind kind;
    std::uint32_t at; // byte offset in the source
    std::string text;
};

// The source as Jinja reads it: \r\n and \r as \n, and one newline at its end left out.
std::string normalize_newlines(std::string_view source);

// `source` is normalized and stays below 2^32 bytes. Throws Error{bad_file} or Error{unsupported} at a place,
// `name` in front.
std::vector<Token> tokenize(std::string_view source, std::string_view name);

} // namespace ingot::runtime::jinja
