// Values as text: Python's str() and repr(), and JSON.
#pragma once

#include "runtime/text/jinja/budget.h"
#include "runtime/text/jinja/value.h"

#include <cstdint>
#include <optional>
#include <string>

namespace ingot::runtime::jinja {

// str(value), of undefined nothing. Text keeps its writers; what stands around it is the template's.
// Loops, namespaces, macros and functions have no text: Error{unsupported}.
void append_text(TextBuilder& out, const Value& value);
// str(value) as a value; `value` itself if it is text.
Value to_text(Budget& budget, const Value& value);

struct JsonStyle {
    bool ascii = false; // other characters as \uXXXX
    std::optional<std::int64_t> indent =
        {}; // spaces a level, each item on a line of its own; absent: one line
    std::optional<MarkedText> item_separator = {}; // ", ", or "," with an indent
    std::optional<MarkedText> key_separator = {};  // ": "
    bool sort_keys = false;
};

// As Python's json.dumps. What JSON can't hold is Error{invalid_argument}.
void append_json(TextBuilder& out, const Value& value, const JsonStyle& style);

// repr() of a float: the shortest digits that give it back, with a point or an exponent.
std::string real_text(double value);

} // namespace ingot::runtime::jinja
