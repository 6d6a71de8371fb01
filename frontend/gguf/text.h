// Text out of a file that nobody vouches for: is it UTF-8, and how to show it on one line of a message.
#pragma once

#include <string>
#include <string_view>

#include <fmt/format.h>

namespace ingot::frontend::gguf {

// RFC 3629: shortest forms only, no surrogates, nothing above U+10FFFF. NUL is valid UTF-8.
bool valid_utf8(std::string_view text);

// `text` in single quotes on one printable line: control characters and bytes that are not UTF-8 as \xHH,
// and no more than about 80 bytes of it.
std::string quoted(std::string_view text);

// The same as an argument of fmt, for messages that are seldom needed: quoted only when it is printed.
struct Quoted {
    std::string_view text;
};

} // namespace ingot::frontend::gguf

template <>
struct fmt::formatter<ingot::frontend::gguf::Quoted> : fmt::formatter<std::string_view> {
    auto format(ingot::frontend::gguf::Quoted q, fmt::format_context& context) const {
        return fmt::formatter<std::string_view>::format(ingot::frontend::gguf::quoted(q.text), context);
    }
};
