// GPT-2's byte-level alphabet: each byte is written as one printable character, so that any text is a
// sequence of characters without spaces or controls (Radford et al. 2019, "Language Models are Unsupervised
// Multitask Learners", and its encoder.py). Bytes that are printable in Latin-1 stand for themselves, the
// other 68 for U+0100 and up in their order.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace ingot::runtime {

char32_t byte_level_char(unsigned char byte);
std::optional<unsigned char> byte_of_level_char(char32_t code);

// Bytes to byte-level text.
std::string to_byte_level(std::string_view bytes);

// Appends the bytes that byte-level text stands for. Characters outside of the alphabet are appended as they
// are: added tokens are often stored as plain text.
void append_from_byte_level(std::string& out, std::string_view text);

} // namespace ingot::runtime
