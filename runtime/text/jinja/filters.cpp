// Filters on one value. Meanings and parameters are those of jinja2.filters (3.1); tojson is that of Hugging
// Face's apply_chat_template, which escapes no HTML.
#include "runtime/error.h"
#include "runtime/text/jinja/arguments.h"
#include "runtime/text/jinja/builtin_table.h"
#include "runtime/text/jinja/characters.h"
#include "runtime/text/jinja/operators.h"
#include "runtime/text/jinja/text_form.h"
#include "runtime/text/jinja/text_operations.h"

#include <charconv>
#include <cmath>

#include <fmt/format.h>

namespace ingot::runtime::jinja {
namespace {

// A filter on text takes any value and starts from its str().
template <Value (*apply)(Budget&, const MarkedText&)>
Value on_text(const Arguments& a) {
    const Value text = to_text(a.budget(), a.subject);
    return apply(a.budget(), *text.as_text());
}

Value trim(const Arguments& a) {
    const Value text = to_text(a.budget(), a.subject);
    const MarkedText* characters = is_absent(a.values[0]) ? nullptr : &text_of(a.values[0], "'trim': chars");
    return strip(a.budget(), *text.as_text(), characters, Side::both);
}

Value replace_filter(const Arguments& a) {
    const Value text = to_text(a.budget(), a.subject);
    const Value from = to_text(a.budget(), a.values[0]);
    const Value to = to_text(a.budget(), a.values[1]);
    return replace(a.budget(), *text.as_text(), *from.as_text(), *to.as_text(),
                   integer_or(a.values[2], -1, "'replace': count"));
}

Value indent(const Arguments& a) {
    const MarkedText& text = text_subject(a);
    const Value space = a.values[0].as_text() != nullptr
                            ? a.values[0]
                            : arithmetic(a.budget(), BinaryOp::multiply, own_text(a.budget(), " "),
                                         integer_or(a.values[0], 4, "'indent': width"));
    const bool blank_lines = is_true(a.values[2]);
    a.budget().take(16 * text.size());
    TextBuilder out(a.budget());
    // The last line always counts as ended, so that a newline at the end gives an empty line after it.
    auto lines = line_ranges(text.bytes());
    if (lines.empty() || lines.back().second < text.size()) lines.emplace_back(text.size(), text.size());
    for (std::size_t i = 0; i < lines.size(); ++i) {
        const auto& [begin, end] = lines[i];
        if (i > 0) out.append("\n");
        if (i == 0 ? is_true(a.values[1]) : blank_lines || begin < end) out.append(*space.as_text());
        out.append(text, begin, end);
    }
    return out.finish();
}

Value default_filter(const Arguments& a) {
    const bool keeps = is_true(a.values[1]) ? is_true(a.subject) : !a.subject.is<Undefined>();
    if (keeps) return a.subject;
    return a.values[0].is<Undefined>() ? own_text(a.budget(), "") : a.values[0];
}

Value length_filter(const Arguments& a) {
    const std::optional<std::int64_t> size = length(a.budget(), a.subject);
    if (!size) throw Error(Code::invalid_argument, "", fmt::format("{} has no length", kind_of(a.subject)));
    return *size;
}

Value tojson(const Arguments& a) {
    JsonStyle style{.ascii = is_true(a.values[0]), .sort_keys = is_true(a.values[3])};
    if (!is_absent(a.values[1])) style.indent = integer_of(a.values[1], "'tojson': indent");
    if (!is_absent(a.values[2])) {
        const List* separators = a.values[2].as_list();
        if (separators == nullptr || separators->items.size() != 2)
            throw Error(Code::invalid_argument, "", "'tojson': separators are not two strings");
        style.item_separator = text_of(separators->items[0], "'tojson': a separator");
        style.key_separator = text_of(separators->items[1], "'tojson': a separator");
    }
    TextBuilder out(a.budget());
    append_json(out, a.subject, style);
    return out.finish();
}

// The number that `text` is, with white space around it and a sign; absent if it is none.
template <class Number>
std::optional<Number> parsed(std::string_view text) {
    text.remove_prefix(leading_space(text));
    text.remove_suffix(trailing_space(text));
    if (text.starts_with('+') && !text.substr(1).starts_with('-')) text.remove_prefix(1);
    Number number{};
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
    if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
    return number;
}

std::optional<double> real_of(const Value& value) {
    if (value.is<Undefined>()) throw Error(Code::invalid_argument, "", "undefined is no number");
    if (const double* real = value.get<double>()) return *real;
    if (const std::optional<std::int64_t> integer = as_integer(value)) return static_cast<double>(*integer);
    if (const MarkedText* text = value.as_text()) return parsed<double>(text->bytes());
    return std::nullopt;
}

Value float_filter(const Arguments& a) {
    const std::optional<double> real = real_of(a.subject);
    if (real) return *real;
    return a.values[0].is<Undefined>() ? Value(0.0) : a.values[0];
}

Value int_filter(const Arguments& a) {
    if (const std::optional<std::int64_t> integer = as_integer(a.subject)) return *integer;
    if (const MarkedText* text = a.subject.as_text()) {
        if (const std::optional<std::int64_t> integer = parsed<std::int64_t>(text->bytes())) return *integer;
    }
    const std::optional<double> real = real_of(a.subject);
    if (!real || !std::isfinite(*real))
        return a.values[0].is<Undefined>() ? Value(std::int64_t{0}) : a.values[0];
    if (std::abs(*real) >= 0x1p63)
        throw Error(Code::unsupported, "", "the result is an integer beyond 64 bits");
    return static_cast<std::int64_t>(*real);
}

Value abs_filter(const Arguments& a) {
    if (!is_number(a.subject))
        throw Error(Code::invalid_argument, "", fmt::format("{} has no absolute value", kind_of(a.subject)));
    if (const double* real = a.subject.get<double>()) return std::abs(*real);
    return *as_integer(a.subject) < 0 ? negate(a.subject) : Value(*as_integer(a.subject));
}

// `safe` too, as there is no HTML that text could be unsafe for.
Value string_filter(const Arguments& a) {
    return to_text(a.budget(), a.subject);
}

Value items(const Arguments& a) {
    if (a.subject.is<Undefined>()) return a.budget().list({});
    return entry_pairs(a.budget(), dict_subject(a));
}

constexpr Builtin filters[] = {
    {.name = "abs", .run = abs_filter},
    {.name = "capitalize", .run = on_text<capitalize>},
    {.name = "count", .run = length_filter},
    {.name = "d", .parameters = {"default_value", "boolean"}, .run = default_filter},
    {.name = "default", .parameters = {"default_value", "boolean"}, .run = default_filter},
    {.name = "float", .parameters = {"default"}, .run = float_filter},
    {.name = "indent", .parameters = {"width", "first", "blank"}, .run = indent},
    {.name = "int", .parameters = {"default"}, .run = int_filter},
    {.name = "items", .run = items},
    {.name = "length", .run = length_filter},
    {.name = "lower", .run = on_text<lower>},
    {.name = "replace", .parameters = {"old", "new", "count"}, .required = 2, .run = replace_filter},
    {.name = "safe", .run = string_filter},
    {.name = "string", .run = string_filter},
    {.name = "title", .run = on_text<title_words>},
    {.name = "tojson", .parameters = {"ensure_ascii", "indent", "separators", "sort_keys"}, .run = tojson},
    {.name = "trim", .parameters = {"chars"}, .run = trim},
    {.name = "upper", .run = on_text<upper>},
};

} // namespace

const Builtin* find_filter(std::string_view name) {
    const Builtin* found = find_in(filters, name);
    return found != nullptr ? found : find_in(sequence_filters(), name);
}

} // namespace ingot::runtime::jinja
