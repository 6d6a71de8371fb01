// The few Unicode properties that pre-tokenizers and templates ask for.
// General categories come from utf8proc (Unicode 15); white space is the property White_Space.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace ingot::runtime {

// Sets of properties, combined with `|`.
using CharClass = std::uint8_t;
inline constexpr CharClass class_letter = 1;      // \p{L}
inline constexpr CharClass class_number = 2;      // \p{N}
inline constexpr CharClass class_space = 4;       // \s, White_Space
inline constexpr CharClass class_punctuation = 8; // \p{P}
inline constexpr CharClass class_newline = 16;    // \r and \n, which are also class_space

// Ill-formed bytes are passed as U+FFFD, which has none of these properties.
CharClass class_of(char32_t code);

// A character of a text, with its class. `length` is 0 at the end of the text.
struct ClassedChar {
    char32_t code = 0;
    std::uint8_t length = 0;
    CharClass classes = 0;
    bool is(CharClass any_of) const { return (classes & any_of) != 0; }
};

// The character of `text` at byte `position`, which may be the end.
ClassedChar char_at(std::string_view text, std::size_t position);

// Simple case mappings: one character for one (so U+00DF stays as it is in upper case).
char32_t to_upper(char32_t code);
char32_t to_lower(char32_t code);
char32_t to_title(char32_t code);
// Categories Lu and Lt; Ll.
bool is_upper(char32_t code);
bool is_lower(char32_t code);

// Neither of the categories Other and Separator, or the space U+0020.
bool is_printable(char32_t code);

} // namespace ingot::runtime
