#include "runtime/text/printable.h"

#include "runtime/text/utf8.h"

#include <fmt/format.h>

namespace ingot::runtime {

std::string printable(std::string_view text, std::size_t most) {
    std::string out = "'";
    std::size_t position = 0;
    while (position < text.size() && position < most) {
        const Utf8Char next = decode_utf8(text.substr(position));
        const std::string_view bytes = text.substr(position, next.length);
        const bool control = next.code < 0x20 || (next.code >= 0x7F && next.code < 0xA0);
        if (next.well_formed && !control) {
            out += bytes;
        } else {
            for (const char byte : bytes) {
                out += fmt::format("\\x{:02x}", static_cast<unsigned>(static_cast<unsigned char>(byte)));
            }
        }
        position += next.length;
    }
    out += position < text.size() ? "...'" : "'";
    return out;
}

} // namespace ingot::runtime
