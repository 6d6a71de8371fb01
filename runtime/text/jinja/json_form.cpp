#include "runtime/text/jinja/text_form.h"

#include "runtime/error.h"
#include "runtime/text/utf8.h"

#include <algorithm>
#include <cmath>
#include <utility>
#include <vector>

#include <fmt/format.h>

namespace ingot::runtime::jinja {
namespace {

std::string utf16_escapes(char32_t code) {
    const auto number = static_cast<std::uint32_t>(code);
    if (number < 0x10000) return fmt::format("\\u{:04x}", number);
    return fmt::format("\\u{:04x}\\u{:04x}", 0xD800 + ((number - 0x10000) >> 10), 0xDC00 + (number & 0x3FF));
}

// The escape of a character that needs one, else empty.
std::string escape_of(char32_t code, bool ascii) {
    switch (code) {
    case '"':
        return "\\\"";
    case '\\':
        return "\\\\";
    case '\n':
        return "\\n";
    case '\r':
        return "\\r";
    case '\t':
        return "\\t";
    case '\b':
        return "\\b";
    case '\f':
        return "\\f";
    default:
        return code < 0x20 || (ascii && code > 0x7E) ? utf16_escapes(code) : std::string();
    }
}

class JsonWriter {
  public:
    JsonWriter(TextBuilder& out, const JsonStyle& style) : out_(out), style_(style) {}

    void write(const Value& value) {
        out_.budget().step();
        if (value.is<None>()) {
            out_.append("null");
        } else if (const bool* b = value.get<bool>()) {
            out_.append(*b ? "true" : "false");
        } else if (const double* d = value.get<double>()) {
            out_.append(std::isnan(*d)   ? "NaN"
                        : std::isinf(*d) ? (*d > 0 ? "Infinity" : "-Infinity")
                                         : real_text(*d));
        } else if (value.is<std::int64_t>()) {
            append_text(out_, value);
        } else if (const MarkedText* text = value.as_text()) {
            write_string(*text);
        } else if (const List* list = value.as_list()) {
            write_all("[", "]", list->items, [&](const Value& item) { write(item); });
        } else if (const Dict* dict = value.as_dict()) {
            write_dict(*dict);
        } else {
            throw Error(Code::invalid_argument, "", fmt::format("JSON can't hold {}", kind_of(value)));
        }
    }

  private:
    // Ill-formed bytes stay as they are, unless all has to be ASCII.
    void write_string(const MarkedText& text) {
        out_.append("\"");
        text.each_run([&](std::string_view run, bool is_template) {
            while (!run.empty()) {
                const Utf8Char c = decode_utf8(run);
                const std::string escape = escape_of(c.code, style_.ascii);
                out_.append(escape.empty() ? run.substr(0, c.length) : std::string_view(escape), is_template);
                run.remove_prefix(c.length);
            }
        });
        out_.append("\"");
    }

    void write_dict(const Dict& dict) {
        std::vector<const Entry*> entries;
        out_.budget().take(dict.entries.size() * sizeof(void*));
        for (const Entry& entry : dict.entries)
            entries.push_back(&entry);
        if (style_.sort_keys) {
            out_.budget().step(entries.size());
            std::ranges::sort(entries, {}, [](const Entry* e) { return e->key.bytes(); });
        }
        write_all("{", "}", entries, [&](const Entry* entry) {
            write_string(entry->key);
            append_separator(style_.key_separator, ": ");
            write(entry->value);
        });
    }

    template <class All, class Write>
    void write_all(std::string_view open, std::string_view close, const All& all, Write write_one) {
        out_.append(open);
        ++level_;
        bool first = true;
        for (const auto& one : all) {
            if (!std::exchange(first, false))
                append_separator(style_.item_separator, style_.indent ? "," : ", ");
            new_line();
            write_one(one);
        }
        --level_;
        if (!all.empty()) new_line();
        out_.append(close);
    }

    void append_separator(const std::optional<MarkedText>& given, std::string_view otherwise) {
        if (given) {
            out_.append(*given);
        } else {
            out_.append(otherwise);
        }
    }

    void new_line() {
        if (!style_.indent) return;
        out_.append("\n");
        const auto spaces = static_cast<std::uint64_t>(std::max<std::int64_t>(*style_.indent, 0));
        for (std::uint64_t i = 0; i < spaces * level_; ++i)
            out_.append(" ");
    }

    TextBuilder& out_;
    const JsonStyle& style_;
    std::uint64_t level_ = 0;
};

} // namespace

void append_json(TextBuilder& out, const Value& value, const JsonStyle& style) {
    JsonWriter(out, style).write(value);
}

} // namespace ingot::runtime::jinja
