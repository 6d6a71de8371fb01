// Spelling of names, strings and numbers in IR text: what print writes and parse reads.
#pragma once

#include <string>
#include <string_view>

namespace ingot::ir {

constexpr bool is_word_start(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}
constexpr bool is_digit(char c) {
    return c >= '0' && c <= '9';
}
constexpr bool is_word_part(char c) {
    return is_word_start(c) || is_digit(c);
}
bool is_word(std::string_view t);

std::string
quoted(std::string_view bytes); // any bytes in double quotes; those that aren't printable ASCII as \xHH
std::string name_text(std::string_view name); // a bare word where the name is one, else quoted
std::string real_text(double v); // the shortest text that reads back as `v`; has '.', 'e', "nan" or "inf"

} // namespace ingot::ir
