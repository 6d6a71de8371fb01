// Methods of strings and dictionaries, as Python's.
#include "runtime/error.h"
#include "runtime/text/jinja/arguments.h"
#include "runtime/text/jinja/builtin_table.h"
#include "runtime/text/jinja/characters.h"
#include "runtime/text/jinja/operators.h"
#include "runtime/text/jinja/text_operations.h"

#include <algorithm>
#include <utility>

namespace ingot::runtime::jinja {
namespace {

constexpr std::size_t npos = std::string_view::npos;

template <Value (*apply)(Budget&, const MarkedText&)>
Value plain(const Arguments& a) {
    return apply(a.budget(), text_subject(a));
}

template <Side side>
Value strip_method(const Arguments& a) {
    const MarkedText* characters = is_absent(a.values[0]) ? nullptr : &text_of(a.values[0], "strip: chars");
    return strip(a.budget(), text_subject(a), characters, side);
}

template <Side from>
Value split_method(const Arguments& a) {
    const MarkedText* separator = is_absent(a.values[0]) ? nullptr : &text_of(a.values[0], "split: sep");
    return split(a.budget(), text_subject(a), separator, integer_or(a.values[1], -1, "split: maxsplit"),
                 from);
}

Value splitlines(const Arguments& a) {
    const MarkedText& text = text_subject(a);
    a.budget().scan(4 * text.size());
    a.budget().take(16 * text.size());
    Items lines;
    for (const auto& [begin, end] : line_ranges(text.bytes()))
        lines.push_back(slice(a.budget(), text, begin, end));
    return a.budget().list(std::move(lines));
}

bool has_affix(std::string_view text, std::string_view affix, Side side) {
    return side == Side::left ? text.starts_with(affix) : text.ends_with(affix);
}

// With a string, or with any of a tuple of strings.
template <Side side>
Value has_affix_method(const Arguments& a) {
    const std::string_view text = text_subject(a).bytes();
    const List* any = a.values[0].as_list();
    if (any == nullptr || !any->is_tuple)
        return has_affix(text, text_of(a.values[0], "a prefix or suffix").bytes(), side);
    a.budget().step(1 + any->items.size());
    return std::ranges::any_of(any->items, [&](const Value& affix) {
        return has_affix(text, text_of(affix, "a prefix or suffix").bytes(), side);
    });
}

Value removeprefix(const Arguments& a) {
    const MarkedText& text = text_subject(a);
    const std::size_t size = text_of(a.values[0], "removeprefix: prefix").size();
    const bool has = text.bytes().starts_with(a.values[0].as_text()->bytes());
    return slice(a.budget(), text, has ? size : 0, text.size());
}

Value removesuffix(const Arguments& a) {
    const MarkedText& text = text_subject(a);
    const std::size_t size = text_of(a.values[0], "removesuffix: suffix").size();
    const bool has = text.bytes().ends_with(a.values[0].as_text()->bytes());
    return slice(a.budget(), text, 0, has ? text.size() - size : text.size());
}

Value replace_method(const Arguments& a) {
    return replace(a.budget(), text_subject(a), text_of(a.values[0], "replace: old"),
                   text_of(a.values[1], "replace: new"), integer_or(a.values[2], -1, "replace: count"));
}

// Counted in characters; -1 where there is none.
template <std::size_t (*search)(Budget&, std::string_view, std::string_view)>
Value find_method_of(const Arguments& a) {
    const std::string_view text = text_subject(a).bytes();
    const std::size_t at = search(a.budget(), text, text_of(a.values[0], "find: sub").bytes());
    if (at == npos) return std::int64_t{-1};
    a.budget().scan(2 * at);
    return static_cast<std::int64_t>(count_characters(text.substr(0, at)));
}

// Occurrences that don't overlap.
Value count(const Arguments& a) {
    std::string_view rest = text_subject(a).bytes();
    const std::string_view part = text_of(a.values[0], "count: sub").bytes();
    if (part.empty()) return *length(a.budget(), a.subject) + 1;
    std::int64_t found = 0;
    for (std::size_t at = 0; (at = find_first(a.budget(), rest, part)) != npos; ++found)
        rest.remove_prefix(at + part.size());
    return found;
}

Value join_method(const Arguments& a) {
    const MarkedText& separator = text_subject(a);
    TextBuilder out(a.budget());
    bool first = true;
    const Value::ListRef over = iterate(a.budget(), a.values[0]);
    for (const Value& item : over->items) {
        if (!std::exchange(first, false)) out.append(separator);
        out.append(text_of(item, "an item of what is joined"));
    }
    return out.finish();
}

Value get(const Arguments& a) {
    dict_subject(a);
    Value found = contains(a.budget(), a.subject, a.values[0]) ? subscript(a.budget(), a.subject, a.values[0])
                                                               : Value();
    if (!found.is<Undefined>()) return found;
    return a.values[1].is<Undefined>() ? Value(None{}) : a.values[1];
}

Value items(const Arguments& a) {
    return entry_pairs(a.budget(), dict_subject(a));
}

Value keys(const Arguments& a) {
    dict_subject(a);
    return iterate(a.budget(), a.subject);
}

Value values(const Arguments& a) {
    Items all;
    for (const Entry& entry : dict_subject(a).entries)
        all.push_back(entry.value);
    return a.budget().list(std::move(all));
}

constexpr Builtin text_methods[] = {
    {.name = "capitalize", .run = plain<capitalize>},
    {.name = "count", .parameters = {"sub"}, .required = 1, .run = count},
    {.name = "endswith", .parameters = {"suffix"}, .required = 1, .run = has_affix_method<Side::right>},
    {.name = "find", .parameters = {"sub"}, .required = 1, .run = find_method_of<find_first>},
    {.name = "join", .parameters = {"iterable"}, .required = 1, .run = join_method},
    {.name = "lower", .run = plain<lower>},
    {.name = "lstrip", .parameters = {"chars"}, .run = strip_method<Side::left>},
    {.name = "removeprefix", .parameters = {"prefix"}, .required = 1, .run = removeprefix},
    {.name = "removesuffix", .parameters = {"suffix"}, .required = 1, .run = removesuffix},
    {.name = "replace", .parameters = {"old", "new", "count"}, .required = 2, .run = replace_method},
    {.name = "rfind", .parameters = {"sub"}, .required = 1, .run = find_method_of<find_last>},
    {.name = "rsplit", .parameters = {"sep", "maxsplit"}, .run = split_method<Side::right>},
    {.name = "rstrip", .parameters = {"chars"}, .run = strip_method<Side::right>},
    {.name = "split", .parameters = {"sep", "maxsplit"}, .run = split_method<Side::left>},
    {.name = "splitlines", .run = splitlines},
    {.name = "startswith", .parameters = {"prefix"}, .required = 1, .run = has_affix_method<Side::left>},
    {.name = "strip", .parameters = {"chars"}, .run = strip_method<Side::both>},
    {.name = "title", .run = plain<title>},
    {.name = "upper", .run = plain<upper>},
};

constexpr Builtin dict_methods[] = {
    {.name = "get", .parameters = {"key", "default"}, .required = 1, .run = get},
    {.name = "items", .run = items},
    {.name = "keys", .run = keys},
    {.name = "values", .run = values},
};

} // namespace

const Builtin* find_text_method(std::string_view name) {
    return find_in(text_methods, name);
}

const Builtin* find_dict_method(std::string_view name) {
    return find_in(dict_methods, name);
}

} // namespace ingot::runtime::jinja
