#include "runtime/text/jinja/string_literal.h"

#include "runtime/error.h"
#include "runtime/text/utf8.h"

#include <charconv>

#include <fmt/format.h>

namespace ingot::runtime::jinja {
namespace {

char32_t number(std::string_view digits, int base) {
    std::uint32_t code = 0;
    const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), code, base);
    if (error != std::errc() || end != digits.data() + digits.size())
        throw Error(Code::bad_file, "", "an escape in a string lacks digits");
    return code;
}

// \x, \u, \U: takes `count` hexadecimal digits from the front of `rest`.
void append_hex(std::string& out, std::string_view& rest, std::size_t count) {
    if (rest.size() < count) throw Error(Code::bad_file, "", "an escape in a string lacks digits");
    const char32_t code = number(rest.substr(0, count), 16);
    rest.remove_prefix(count);
    if ((code >= 0xD800 && code <= 0xDFFF) || code > 0x10FFFF)
        throw Error(Code::bad_file, "",
                    fmt::format("an escape in a string names U+{:04X}, which is no character",
                                static_cast<std::uint32_t>(code)));
    append_utf8(out, code);
}

void append_octal(std::string& out, std::string_view& rest) {
    std::size_t count = 0;
    while (count < 3 && count < rest.size() && rest[count] >= '0' && rest[count] <= '7')
        ++count;
    append_utf8(out, number(rest.substr(0, count), 8));
    rest.remove_prefix(count);
}

// `rest` starts after the backslash and isn't empty.
void append_escape(std::string& out, std::string_view& rest) {
    static constexpr std::string_view letters = "abfnrtv\\'\"";
    static constexpr std::string_view meanings = "\a\b\f\n\r\t\v\\'\"";
    const char letter = rest.front();
    if (letter >= '0' && letter <= '7') return append_octal(out, rest);
    rest.remove_prefix(1);
    if (const std::size_t i = letters.find(letter); i != std::string_view::npos) {
        out += meanings[i];
    } else if (letter == 'x') {
        append_hex(out, rest, 2);
    } else if (letter == 'u') {
        append_hex(out, rest, 4);
    } else if (letter == 'U') {
        append_hex(out, rest, 8);
    } else if (letter == 'N') {
        throw Error(Code::unsupported, "", "the escape \\N in a string is not supported");
    } else if (letter != '\n') {
        out += '\\';
        out += letter;
    }
}

} // namespace

std::string unescape(std::string_view body) {
    std::string out;
    while (!body.empty()) {
        const std::size_t plain = std::min(body.find('\\'), body.size());
        out += body.substr(0, plain);
        body.remove_prefix(plain);
        if (body.empty()) break;
        body.remove_prefix(1); // a literal can't end in a lone backslash, because that escapes its quote
        append_escape(out, body);
    }
    return out;
}

} // namespace ingot::runtime::jinja
