#include "runtime/text/printable.h"

#include "runtime/text/utf8.h"

#include <fmt/format.h>

namespace ingot::runtime {

namespace {

// Appends up to `most` bytes of `text`, in whole characters; returns how many.
std::size_t append_escaped(std::string& out, std::string_view text, std::size_t most) {
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
    return position;
}

} // namespace

std::string printable(std::string_view text, std::size_t most) {
    std::string out = "'";
    const std::size_t shown = append_escaped(out, text, most);
    out += shown < text.size() ? "...'" : "'";
    return out;
}

std::string on_one_line(std::string_view text) {
    std::string out;
    append_escaped(out, text, text.size());
    return out;
}

} // namespace ingot::runtime
