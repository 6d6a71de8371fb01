#include "runtime/text/byte_level.h"

#include "runtime/text/utf8.h"

#include <array>
#include <cstddef>

namespace ingot::runtime {
namespace {

constexpr bool is_printable(unsigned byte) {
    return (byte >= 0x21 && byte <= 0x7E) || (byte >= 0xA1 && byte <= 0xAC) || byte >= 0xAE;
}

constexpr auto chars = [] {
    std::array<char32_t, 256> table{};
    char32_t next = 0x100;
    for (unsigned byte = 0; byte < 256; ++byte) {
        table[byte] = is_printable(byte) ? static_cast<char32_t>(byte) : next++;
    }
    return table;
}();

// The largest character is U+0143: 68 bytes are moved.
constexpr auto bytes_of = [] {
    std::array<int, 0x144> table{};
    for (int& entry : table) {
        entry = -1;
    }
    for (int byte = 0; byte < 256; ++byte) {
        table[chars[static_cast<std::size_t>(byte)]] = byte;
    }
    return table;
}();

} // namespace

char32_t byte_level_char(unsigned char byte) {
    return chars[byte];
}

std::optional<unsigned char> byte_of_level_char(char32_t code) {
    if (code >= bytes_of.size() || bytes_of[code] < 0) return std::nullopt;
    return static_cast<unsigned char>(bytes_of[code]);
}

std::string to_byte_level(std::string_view bytes) {
    std::string out;
    out.reserve(bytes.size() * 2);
    for (const char byte : bytes) {
        append_utf8(out, byte_level_char(static_cast<unsigned char>(byte)));
    }
    return out;
}

void append_from_byte_level(std::string& out, std::string_view text) {
    while (!text.empty()) {
        const Utf8Char next = decode_utf8(text);
        if (const auto byte = byte_of_level_char(next.code)) {
            out.push_back(static_cast<char>(*byte));
        } else {
            out.append(text.substr(0, next.length));
        }
        text.remove_prefix(next.length);
    }
}

} // namespace ingot::runtime
