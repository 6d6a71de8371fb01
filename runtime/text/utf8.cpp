#include "runtime/text/utf8.h"

namespace ingot::runtime {
namespace {

struct SequenceRule {
    int length;                // bytes in a sequence with this lead byte, 0 where none starts with it
    unsigned char low = 0x80;  // bounds of the second byte, which exclude overlong forms, surrogates
    unsigned char high = 0xBF; // and values above U+10FFFF (Unicode 15.0, table 3-7)
};

SequenceRule rule_of(unsigned char lead) {
    if (lead < 0x80) return {.length = 1};
    if (lead < 0xC2) return {.length = 0};
    if (lead < 0xE0) return {.length = 2};
    if (lead == 0xE0) return {.length = 3, .low = 0xA0};
    if (lead == 0xED) return {.length = 3, .high = 0x9F};
    if (lead < 0xF0) return {.length = 3};
    if (lead == 0xF0) return {.length = 4, .low = 0x90};
    if (lead == 0xF4) return {.length = 4, .high = 0x8F};
    if (lead < 0xF4) return {.length = 4};
    return {.length = 0};
}

} // namespace

Utf8Char decode_utf8(std::string_view text) {
    if (text.empty()) return {};
    const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
    const unsigned char lead = byte(0);
    if (lead < 0x80) return {.code = lead, .length = 1, .well_formed = true};
    const SequenceRule rule = rule_of(lead);
    if (rule.length == 0) return {.length = 1};
    char32_t code = lead & (0x7Fu >> rule.length);
    for (int i = 1; i < rule.length; ++i) {
        const auto at = static_cast<std::size_t>(i);
        const auto consumed = static_cast<std::uint8_t>(i);
        if (at >= text.size()) return {.length = consumed, .truncated = true};
        const unsigned char low = i == 1 ? rule.low : 0x80;
        const unsigned char high = i == 1 ? rule.high : 0xBF;
        if (byte(at) < low || byte(at) > high) return {.length = consumed};
        code = (code << 6) | (byte(at) & 0x3Fu);
    }
    return {.code = code, .length = static_cast<std::uint8_t>(rule.length), .well_formed = true};
}

void append_utf8(std::string& out, char32_t code) {
    if (code > 0x10FFFF || (code >= 0xD800 && code <= 0xDFFF)) code = replacement_character;
    const auto put = [&](char32_t bits) { out.push_back(static_cast<char>(bits)); };
    if (code < 0x80) {
        put(code);
    } else if (code < 0x800) {
        put(0xC0 | (code >> 6));
        put(0x80 | (code & 0x3F));
    } else if (code < 0x10000) {
        put(0xE0 | (code >> 12));
        put(0x80 | ((code >> 6) & 0x3F));
        put(0x80 | (code & 0x3F));
    } else {
        put(0xF0 | (code >> 18));
        put(0x80 | ((code >> 12) & 0x3F));
        put(0x80 | ((code >> 6) & 0x3F));
        put(0x80 | (code & 0x3F));
    }
}

std::string Utf8Stream::push(std::string_view bytes) {
    pending_.append(bytes);
    std::string out;
    std::string_view rest = pending_;
    while (!rest.empty()) {
        const Utf8Char next = decode_utf8(rest);
        if (next.truncated) break;
        if (next.well_formed) {
            out.append(rest.substr(0, next.length));
        } else {
            append_utf8(out, replacement_character);
        }
        rest.remove_prefix(next.length);
    }
    pending_.erase(0, pending_.size() - rest.size());
    return out;
}

std::string Utf8Stream::flush() {
    std::string out;
    // What is held back is always one unfinished sequence, hence one maximal subpart.
    if (!pending_.empty()) append_utf8(out, replacement_character);
    pending_.clear();
    return out;
}

} // namespace ingot::runtime
