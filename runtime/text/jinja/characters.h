// Text as Python sees it, a row of characters, over UTF-8. Each part that is ill-formed counts as one
// character.
#pragma once

#include <cstddef>
#include <string_view>
#include <utility>
#include <vector>

namespace ingot::runtime::jinja {

// Python's str.isspace.
bool is_space(char32_t code);

// Bytes of white space at the start and at the end.
std::size_t leading_space(std::string_view text);
std::size_t trailing_space(std::string_view text);

std::size_t count_characters(std::string_view text);
// Bytes of the first `count` characters, or of all.
std::size_t bytes_of_first(std::string_view text, std::size_t count);

// Where each character begins, and the text's size at the end.
std::vector<std::size_t> character_borders(std::string_view text);

// Bytes of the last character of a text that isn't empty.
std::size_t last_character(std::string_view text);

// The byte ranges of the lines, as str.splitlines cuts them: without what ends them.
std::vector<std::pair<std::size_t, std::size_t>> line_ranges(std::string_view text);

} // namespace ingot::runtime::jinja
