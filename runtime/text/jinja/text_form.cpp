#include "runtime/text/jinja/text_form.h"

#include "runtime/error.h"
#include "runtime/text/unicode.h"
#include "runtime/text/utf8.h"

#include <cmath>
#include <utility>

#include <fmt/format.h>

namespace ingot::runtime::jinja {
namespace {

void append_repr(TextBuilder& out, const Value& value);

std::string escaped(char32_t code, char quote) {
    const auto number = static_cast<std::uint32_t>(code);
    if (code == '\n') return "\\n";
    if (code == '\r') return "\\r";
    if (code == '\t') return "\\t";
    if (code == '\\') return "\\\\";
    if (code == static_cast<unsigned char>(quote)) return {'\\', quote};
    if (number < 0x100) return fmt::format("\\x{:02x}", number);
    if (number < 0x10000) return fmt::format("\\u{:04x}", number);
    return fmt::format("\\U{:08x}", number);
}

// In single quotes, or in double ones where that saves escapes. Ill-formed bytes stay as they are.
void append_quoted(TextBuilder& out, const MarkedText& text) {
    const bool has_single = text.bytes().find('\'') != std::string_view::npos;
    const bool has_double = text.bytes().find('"') != std::string_view::npos;
    const char quote = has_single && !has_double ? '"' : '\'';
    const std::string_view mark(&quote, 1);
    out.append(mark);
    text.each_run([&](std::string_view run, bool is_template) {
        while (!run.empty()) {
            const Utf8Char c = decode_utf8(run);
            const bool plain = !c.well_formed || (is_printable(c.code) && c.code != '\\' &&
                                                  c.code != static_cast<unsigned char>(quote));
            out.append(plain ? run.substr(0, c.length) : escaped(c.code, quote), is_template);
            run.remove_prefix(c.length);
        }
    });
    out.append(mark);
}

void append_list(TextBuilder& out, const List& list) {
    out.append(list.is_tuple ? "(" : "[");
    bool first = true;
    for (const Value& item : list.items) {
        if (!std::exchange(first, false)) out.append(", ");
        append_repr(out, item);
    }
    if (list.is_tuple && list.items.size() == 1) out.append(",");
    out.append(list.is_tuple ? ")" : "]");
}

void append_dict(TextBuilder& out, const Dict& dict) {
    out.append("{");
    bool first = true;
    for (const Entry& entry : dict.entries) {
        if (!std::exchange(first, false)) out.append(", ");
        append_quoted(out, entry.key);
        out.append(": ");
        append_repr(out, entry.value);
    }
    out.append("}");
}

void append_repr(TextBuilder& out, const Value& value) {
    if (const MarkedText* text = value.as_text()) {
        append_quoted(out, *text);
    } else if (value.is<Undefined>()) {
        out.append("Undefined");
    } else {
        append_text(out, value);
    }
}

} // namespace

void append_text(TextBuilder& out, const Value& value) {
    out.budget().step();
    if (value.is<Undefined>()) return;
    if (value.is<None>()) {
        out.append("None");
    } else if (const bool* b = value.get<bool>()) {
        out.append(*b ? "True" : "False");
    } else if (const std::int64_t* i = value.get<std::int64_t>()) {
        out.append(fmt::format("{}", *i));
    } else if (const double* d = value.get<double>()) {
        out.append(real_text(*d));
    } else if (const MarkedText* text = value.as_text()) {
        out.append(*text);
    } else if (const List* list = value.as_list()) {
        append_list(out, *list);
    } else if (const Dict* dict = value.as_dict()) {
        append_dict(out, *dict);
    } else {
        throw Error(Code::unsupported, "", fmt::format("{} has no text", kind_of(value)));
    }
}

Value to_text(Budget& budget, const Value& value) {
    if (value.as_text() != nullptr) return value;
    TextBuilder out(budget);
    append_text(out, value);
    return out.finish();
}

std::string real_text(double value) {
    if (std::isnan(value)) return "nan";
    if (std::isinf(value)) return value > 0 ? "inf" : "-inf";
    std::string digits = fmt::format("{}", value);
    if (digits.find_first_of(".e") == std::string::npos) digits += ".0";
    return digits;
}

} // namespace ingot::runtime::jinja
