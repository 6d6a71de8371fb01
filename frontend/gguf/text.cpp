#include "frontend/gguf/text.h"

#include <cstddef>
#include <cstdint>

#include <fmt/format.h>

namespace ingot::frontend::gguf {
namespace {

// Bytes of the well-formed UTF-8 character that starts at `i`, or 0.
size_t character_length(std::string_view text, size_t i) {
    const auto byte = [&](size_t k) { return static_cast<uint8_t>(text[k]); };
    const uint8_t lead = byte(i);
    if (lead < 0x80) return 1;
    const size_t length = lead >= 0xF0 ? 4 : lead >= 0xE0 ? 3 : 2;
    if (lead < 0xC2 || lead > 0xF4 || text.size() - i < length) return 0;
    for (size_t k = 1; k < length; ++k)
        if ((byte(i + k) & 0xC0) != 0x80) return 0;
    const uint8_t second = byte(i + 1);
    if (lead == 0xE0 && second < 0xA0) return 0; // overlong
    if (lead == 0xED && second > 0x9F) return 0; // surrogate
    if (lead == 0xF0 && second < 0x90) return 0; // overlong
    if (lead == 0xF4 && second > 0x8F) return 0; // above U+10FFFF
    return length;
}

} // namespace

bool valid_utf8(std::string_view text) {
    for (size_t i = 0; i < text.size();) {
        const size_t length = character_length(text, i);
        if (length == 0) return false;
        i += length;
    }
    return true;
}

std::string quoted(std::string_view text) {
    constexpr size_t shown = 80;
    std::string out = "'";
    for (size_t i = 0; i < text.size();) {
        if (i >= shown) return out + "...'";
        const size_t length = character_length(text, i);
        const auto byte = static_cast<uint8_t>(text[i]);
        // U+0080 to U+009F are control characters too; a terminal may act on them.
        const bool control = byte < 0x20 || byte == 0x7F ||
                             (length == 2 && byte == 0xC2 && static_cast<uint8_t>(text[i + 1]) < 0xA0);
        if (length == 0 || control) {
            out += fmt::format("\\x{:02X}", byte);
            ++i;
        } else {
            out += text.substr(i, length);
            i += length;
        }
    }
    return out + "'";
}

} // namespace ingot::frontend::gguf
