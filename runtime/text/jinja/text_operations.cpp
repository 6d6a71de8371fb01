#include "runtime/text/jinja/text_operations.h"

#include "runtime/error.h"
#include "runtime/text/jinja/characters.h"
#include "runtime/text/unicode.h"
#include "runtime/text/utf8.h"

#include <algorithm>
#include <cstring>
#include <utility>
#include <vector>

namespace ingot::runtime::jinja {
namespace {

constexpr std::size_t npos = std::string_view::npos;

// Calls map(code) for each character; ill-formed bytes stay as they are.
template <class Map>
Value map_characters(Budget& budget, const MarkedText& text, Map map) {
    budget.scan(8 * text.size());
    TextBuilder out(budget);
    text.each_run([&](std::string_view run, bool is_template) {
        std::string mapped;
        while (!run.empty()) {
            const Utf8Char c = decode_utf8(run);
            const char32_t code = map(c.code);
            if (c.well_formed) {
                append_utf8(mapped, code);
            } else {
                mapped += run.substr(0, c.length);
            }
            run.remove_prefix(c.length);
        }
        out.append(mapped, is_template);
    });
    return out.finish();
}

bool is_one_of(std::string_view character, std::string_view characters) {
    return decode_utf8(character).well_formed && characters.find(character) != npos;
}

// Bytes of the characters at the start of `text` that are in `characters`.
std::size_t leading_of(std::string_view text, std::string_view characters) {
    std::size_t at = 0;
    while (at < text.size()) {
        const std::string_view c = text.substr(at, decode_utf8(text.substr(at)).length);
        if (!is_one_of(c, characters)) break;
        at += c.size();
    }
    return at;
}

std::size_t trailing_of(std::string_view text, std::string_view characters) {
    std::size_t end = text.size();
    while (end > 0) {
        const std::size_t length = last_character(text.substr(0, end));
        if (!is_one_of(text.substr(end - length, length), characters)) break;
        end -= length;
    }
    return text.size() - end;
}

using Ranges = std::vector<std::pair<std::size_t, std::size_t>>;

void add_range(Budget& budget, Ranges& ranges, std::size_t begin, std::size_t end) {
    budget.step();
    budget.take(sizeof(Ranges::value_type));
    ranges.emplace_back(begin, end);
}

Ranges split_at(Budget& budget, std::string_view text, std::string_view separator, std::size_t most) {
    Ranges parts;
    std::size_t begin = 0;
    while (parts.size() < most) {
        const std::size_t found = find_first(budget, text.substr(begin), separator);
        if (found == npos) break;
        add_range(budget, parts, begin, begin + found);
        begin += found + separator.size();
    }
    add_range(budget, parts, begin, text.size());
    return parts;
}

// From the right, the last part first.
Ranges split_at_from_right(Budget& budget, std::string_view text, std::string_view separator,
                           std::size_t most) {
    Ranges parts;
    std::size_t end = text.size();
    while (parts.size() < most) {
        const std::size_t found = find_last(budget, text.substr(0, end), separator);
        if (found == npos) break;
        add_range(budget, parts, found + separator.size(), end);
        end = found;
    }
    add_range(budget, parts, 0, end);
    return parts;
}

std::size_t word_length(std::string_view text) {
    std::size_t at = 0;
    while (at < text.size()) {
        const Utf8Char c = decode_utf8(text.substr(at));
        if (is_space(c.code)) break;
        at += c.length;
    }
    return at;
}

Ranges split_at_space(Budget& budget, std::string_view text, std::size_t most) {
    Ranges parts;
    std::size_t begin = leading_space(text);
    while (begin < text.size()) {
        if (parts.size() == most) {
            add_range(budget, parts, begin, text.size());
            break;
        }
        const std::size_t end = begin + word_length(text.substr(begin));
        add_range(budget, parts, begin, end);
        begin = end + leading_space(text.substr(end));
    }
    return parts;
}

Ranges split_at_space_from_right(Budget& budget, std::string_view text, std::size_t most) {
    Ranges parts;
    std::size_t end = text.size() - trailing_space(text);
    while (end > 0) {
        if (parts.size() == most) {
            add_range(budget, parts, 0, end);
            break;
        }
        std::size_t begin = end;
        while (begin > 0) {
            const std::size_t length = last_character(text.substr(0, begin));
            if (is_space(decode_utf8(text.substr(begin - length)).code)) break;
            begin -= length;
        }
        add_range(budget, parts, begin, end);
        end = begin - trailing_space(text.substr(0, begin));
    }
    return parts;
}

// `to` between all characters, at the start and at the end.
Value spread(Budget& budget, const MarkedText& text, const MarkedText& to, std::uint64_t count) {
    TextBuilder out(budget);
    std::size_t at = 0;
    std::uint64_t done = 0;
    while (at < text.size() && done < count) {
        budget.step();
        const std::size_t end = at + bytes_of_first(text.bytes().substr(at), 1);
        out.append(to).append(text, at, end);
        at = end;
        ++done;
    }
    out.append(text, at, text.size());
    if (done < count) out.append(to);
    return out.finish();
}

} // namespace

std::size_t find_first(Budget& budget, std::string_view text, std::string_view part) {
    const void* found = ::memmem(text.data(), text.size(), part.data(), part.size());
    const std::size_t at =
        found == nullptr ? npos : static_cast<std::size_t>(static_cast<const char*>(found) - text.data());
    budget.scan(std::min(at, text.size()));
    return at;
}

std::size_t find_last(Budget& budget, std::string_view text, std::string_view part) {
    const std::size_t at = text.rfind(part);
    budget.scan((text.size() - (at == npos ? 0 : at)) * (1 + part.size() / 16));
    return at;
}

Value upper(Budget& budget, const MarkedText& text) {
    return map_characters(budget, text, to_upper);
}

Value lower(Budget& budget, const MarkedText& text) {
    return map_characters(budget, text, to_lower);
}

Value capitalize(Budget& budget, const MarkedText& text) {
    bool first = true;
    return map_characters(
        budget, text, [&](char32_t c) { return std::exchange(first, false) ? to_title(c) : to_lower(c); });
}

Value title(Budget& budget, const MarkedText& text) {
    bool inside = false;
    return map_characters(budget, text, [&](char32_t c) {
        const bool is_letter = is_upper(c) || is_lower(c);
        return std::exchange(inside, is_letter) ? to_lower(c) : to_title(c);
    });
}

Value title_words(Budget& budget, const MarkedText& text) {
    bool begins = true;
    return map_characters(budget, text, [&](char32_t c) {
        const bool ends = is_space(c) || c == '-' || c == '(' || c == '{' || c == '[' || c == '<';
        return std::exchange(begins, ends) ? to_upper(c) : to_lower(c);
    });
}

Value strip(Budget& budget, const MarkedText& text, const MarkedText* characters, Side side) {
    budget.scan(text.size() * (characters == nullptr ? 1 : 1 + characters->size() / 16));
    std::string_view rest = text.bytes();
    std::size_t begin = 0;
    if (side != Side::right)
        begin = characters == nullptr ? leading_space(rest) : leading_of(rest, characters->bytes());
    rest.remove_prefix(begin);
    std::size_t cut = 0;
    if (side != Side::left)
        cut = characters == nullptr ? trailing_space(rest) : trailing_of(rest, characters->bytes());
    return slice(budget, text, begin, text.size() - cut);
}

Value replace(Budget& budget, const MarkedText& text, const MarkedText& from, const MarkedText& to,
              std::int64_t count) {
    const auto most = count < 0 ? UINT64_MAX : static_cast<std::uint64_t>(count);
    if (from.empty()) return spread(budget, text, to, most);
    TextBuilder out(budget);
    std::size_t at = 0;
    for (std::uint64_t done = 0; done < most; ++done) {
        const std::size_t found = find_first(budget, text.bytes().substr(at), from.bytes());
        if (found == npos) break;
        out.append(text, at, at + found).append(to);
        at += found + from.size();
    }
    return out.append(text, at, text.size()).finish();
}

Value split(Budget& budget, const MarkedText& text, const MarkedText* separator, std::int64_t most,
            Side from) {
    if (separator != nullptr && separator->empty())
        throw Error(Code::invalid_argument, "", "the separator is empty");
    const std::size_t cuts = most < 0 ? npos : static_cast<std::size_t>(most);
    budget.scan(2 * text.size());
    Ranges ranges;
    if (from == Side::right) {
        ranges = separator == nullptr ? split_at_space_from_right(budget, text.bytes(), cuts)
                                      : split_at_from_right(budget, text.bytes(), separator->bytes(), cuts);
        std::ranges::reverse(ranges);
    } else {
        ranges = separator == nullptr ? split_at_space(budget, text.bytes(), cuts)
                                      : split_at(budget, text.bytes(), separator->bytes(), cuts);
    }
    Items parts;
    parts.reserve(ranges.size());
    for (const auto& [begin, end] : ranges)
        parts.push_back(slice(budget, text, begin, end));
    return budget.list(std::move(parts));
}

} // namespace ingot::runtime::jinja
