// SentencePiece's byte tokens, <0x00> to <0xFF>.
#pragma once

#include <optional>
#include <string_view>

namespace ingot::runtime {

// The byte that a token's text stands for; nothing unless it is exactly <0xHH>.
constexpr std::optional<unsigned char> byte_of_token(std::string_view text) {
    if (text.size() != 6 || text.substr(0, 3) != "<0x" || text[5] != '>') return std::nullopt;
    unsigned value = 0;
    for (const char c : text.substr(3, 2)) {
        value *= 16;
        if (c >= '0' && c <= '9') {
            value += static_cast<unsigned>(c - '0');
        } else if (c >= 'A' && c <= 'F') {
            value += static_cast<unsigned>(c - 'A' + 10);
        } else if (c >= 'a' && c <= 'f') {
            value += static_cast<unsigned>(c - 'a' + 10);
        } else {
            return std::nullopt;
        }
    }
    return static_cast<unsigned char>(value);
}

} // namespace ingot::runtime
