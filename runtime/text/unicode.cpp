#include "runtime/text/unicode.h"

#include "runtime/text/utf8.h"

#include <array>

#include <utf8proc.h>

namespace ingot::runtime {
namespace {

constexpr CharClass ascii_class(char32_t c) {
    if ((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z')) return class_letter;
    if (c >= '0' && c <= '9') return class_number;
    if (c == '\n' || c == '\r') return class_space | class_newline;
    if (c == ' ' || (c >= 9 && c <= 13)) return class_space;
    // The printable rest is punctuation, but for the symbols $ + < = > ^ ` | ~ (categories Sc, Sm, Sk).
    if (c < 32 || c == 127) return 0;
    for (const char32_t symbol : {'$', '+', '<', '=', '>', '^', '`', '|', '~'}) {
        if (c == symbol) return 0;
    }
    return class_punctuation;
}

constexpr auto ascii_classes = [] {
    std::array<CharClass, 128> table{};
    for (char32_t c = 0; c < 128; ++c) {
        table[c] = ascii_class(c);
    }
    return table;
}();

bool is_wide_space(char32_t c) {
    return c == 0x85 || c == 0xA0 || c == 0x1680 || (c >= 0x2000 && c <= 0x200A) || c == 0x2028 ||
           c == 0x2029 || c == 0x202F || c == 0x205F || c == 0x3000;
}

} // namespace

CharClass class_of(char32_t code) {
    if (code < 128) return ascii_classes[code];
    switch (utf8proc_category(static_cast<utf8proc_int32_t>(code))) {
    case UTF8PROC_CATEGORY_LU:
    case UTF8PROC_CATEGORY_LL:
    case UTF8PROC_CATEGORY_LT:
    case UTF8PROC_CATEGORY_LM:
    case UTF8PROC_CATEGORY_LO:
        return class_letter;
    case UTF8PROC_CATEGORY_ND:
    case UTF8PROC_CATEGORY_NL:
    case UTF8PROC_CATEGORY_NO:
        return class_number;
    case UTF8PROC_CATEGORY_PC:
    case UTF8PROC_CATEGORY_PD:
    case UTF8PROC_CATEGORY_PS:
    case UTF8PROC_CATEGORY_PE:
    case UTF8PROC_CATEGORY_PI:
    case UTF8PROC_CATEGORY_PF:
    case UTF8PROC_CATEGORY_PO:
        return class_punctuation;
    default:
        return is_wide_space(code) ? class_space : CharClass{0};
    }
}

char32_t to_upper(char32_t code) {
    if (code == 0xDF) return code; // utf8proc has U+1E9E, which Unicode's simple mapping has not
    return static_cast<char32_t>(utf8proc_toupper(static_cast<utf8proc_int32_t>(code)));
}

char32_t to_lower(char32_t code) {
    return static_cast<char32_t>(utf8proc_tolower(static_cast<utf8proc_int32_t>(code)));
}

char32_t to_title(char32_t code) {
    if (code == 0xDF) return code;
    return static_cast<char32_t>(utf8proc_totitle(static_cast<utf8proc_int32_t>(code)));
}

bool is_upper(char32_t code) {
    const utf8proc_category_t category = utf8proc_category(static_cast<utf8proc_int32_t>(code));
    return category == UTF8PROC_CATEGORY_LU || category == UTF8PROC_CATEGORY_LT;
}

bool is_lower(char32_t code) {
    return utf8proc_category(static_cast<utf8proc_int32_t>(code)) == UTF8PROC_CATEGORY_LL;
}

bool is_printable(char32_t code) {
    switch (utf8proc_category(static_cast<utf8proc_int32_t>(code))) {
    case UTF8PROC_CATEGORY_CN:
    case UTF8PROC_CATEGORY_CC:
    case UTF8PROC_CATEGORY_CF:
    case UTF8PROC_CATEGORY_CS:
    case UTF8PROC_CATEGORY_CO:
    case UTF8PROC_CATEGORY_ZL:
    case UTF8PROC_CATEGORY_ZP:
        return false;
    case UTF8PROC_CATEGORY_ZS:
        return code == ' ';
    default:
        return true;
    }
}

ClassedChar char_at(std::string_view text, std::size_t position) {
    if (position >= text.size()) return {};
    const auto byte = static_cast<unsigned char>(text[position]);
    if (byte < 128) return {.code = byte, .length = 1, .classes = ascii_classes[byte]};
    const Utf8Char decoded = decode_utf8(text.substr(position));
    return {.code = decoded.code, .length = decoded.length, .classes = class_of(decoded.code)};
}

} // namespace ingot::runtime
