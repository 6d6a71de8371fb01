// UTF-8 as bytes come: decoding that accepts anything, and a stream that emits whole characters only.
// Ill-formed input is treated as the Unicode Standard (15.0, section 3.9, "U+FFFD Substitution of Maximal
// Subparts") recommends: each longest prefix of a well-formed sequence counts as one bad character.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace ingot::runtime {

// The code point reported for ill-formed bytes, U+FFFD.
inline constexpr char32_t replacement_character = 0xFFFD;

struct Utf8Char {
    char32_t code = replacement_character;
    std::uint8_t length = 0;  // bytes consumed, at least 1 unless the text is empty
    bool well_formed = false; // false: `length` ill-formed bytes, `code` is U+FFFD
    bool truncated = false;   // the text ended inside a sequence that more bytes could complete
};

// The character at the start of `text`.
Utf8Char decode_utf8(std::string_view text);

// Appends `code` as UTF-8; surrogates and values above U+10FFFF are appended as U+FFFD.
void append_utf8(std::string& out, char32_t code);

// Bytes of one UTF-8 text, arriving in pieces cut anywhere, returned in pieces that hold whole characters.
// The concatenation of everything returned is the input with each ill-formed part replaced by U+FFFD.
class Utf8Stream {
  public:
    // Returns the characters that are complete now. At most 3 bytes are held back.
    std::string push(std::string_view bytes);
    // Returns what is held back, replaced by U+FFFD because nothing can complete it any more.
    std::string flush();

  private:
    std::string pending_;
};

} // namespace ingot::runtime
