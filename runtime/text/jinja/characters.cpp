#include "runtime/text/jinja/characters.h"

#include "runtime/text/unicode.h"
#include "runtime/text/utf8.h"

namespace ingot::runtime::jinja {
namespace {

bool ends_line(char32_t code) {
    return (code >= 0x0A && code <= 0x0D) || (code >= 0x1C && code <= 0x1E) || code == 0x85 ||
           code == 0x2028 || code == 0x2029;
}

} // namespace

bool is_space(char32_t code) {
    return (code >= 0x1C && code <= 0x1F) || (class_of(code) & class_space) != 0;
}

std::size_t leading_space(std::string_view text) {
    std::size_t at = 0;
    while (at < text.size()) {
        const Utf8Char c = decode_utf8(text.substr(at));
        if (!is_space(c.code)) break;
        at += c.length;
    }
    return at;
}

std::size_t trailing_space(std::string_view text) {
    std::size_t end = text.size();
    while (end > 0) {
        const std::size_t length = last_character(text.substr(0, end));
        if (!is_space(decode_utf8(text.substr(end - length)).code)) break;
        end -= length;
    }
    return text.size() - end;
}

std::size_t count_characters(std::string_view text) {
    std::size_t count = 0;
    for (; !text.empty(); ++count)
        text.remove_prefix(decode_utf8(text).length);
    return count;
}

std::size_t bytes_of_first(std::string_view text, std::size_t count) {
    std::size_t at = 0;
    for (; count > 0 && at < text.size(); --count)
        at += decode_utf8(text.substr(at)).length;
    return at;
}

std::vector<std::size_t> character_borders(std::string_view text) {
    std::vector<std::size_t> borders;
    for (std::size_t at = 0; at < text.size(); at += decode_utf8(text.substr(at)).length)
        borders.push_back(at);
    borders.push_back(text.size());
    return borders;
}

std::size_t last_character(std::string_view text) {
    for (std::size_t length = 1; length <= 4 && length <= text.size(); ++length) {
        const Utf8Char c = decode_utf8(text.substr(text.size() - length));
        if (c.well_formed && c.length == length) return length;
    }
    return 1;
}

std::vector<std::pair<std::size_t, std::size_t>> line_ranges(std::string_view text) {
    std::vector<std::pair<std::size_t, std::size_t>> lines;
    std::size_t begin = 0;
    for (std::size_t at = 0; at < text.size();) {
        const Utf8Char c = decode_utf8(text.substr(at));
        const std::size_t end = at;
        at += c.length;
        if (!ends_line(c.code)) continue;
        if (c.code == '\r' && text.substr(at).starts_with('\n')) ++at;
        lines.emplace_back(begin, end);
        begin = at;
    }
    if (begin < text.size()) lines.emplace_back(begin, text.size());
    return lines;
}

} // namespace ingot::runtime::jinja
