// What operators, subscripts and iteration do, as in Python. Each throws Error without a place:
// invalid_argument for operands that Python refuses too, unsupported for what only this interpreter refuses.
#pragma once

#include "runtime/text/jinja/budget.h"
#include "runtime/text/jinja/syntax.h"
#include "runtime/text/jinja/value.h"

#include <cstdint>
#include <optional>
#include <string_view>

namespace ingot::runtime::jinja {

// a == b: numbers by value whatever their type, lists and dictionaries by what they hold.
bool equal(Budget& budget, const Value& a, const Value& b);
// a < b, of two numbers, strings or lists.
bool less(Budget& budget, const Value& a, const Value& b);
bool compare(Budget& budget, CompareOp op, const Value& a, const Value& b);

// Integers stay in 64 bits or it is an error. Not for the logical operators.
Value arithmetic(Budget& budget, BinaryOp op, const Value& a, const Value& b);
Value negate(const Value& value);

// item in container
bool contains(Budget& budget, const Value& container, const Value& item);

// object[index]; undefined where there is nothing.
Value subscript(Budget& budget, const Value& object, const Value& index);
// object.name; undefined where there is nothing.
Value attribute(Budget& budget, const Value& object, std::string_view name);
// object[start:stop:step]; none where absent.
Value slice(Budget& budget, const Value& object, const Value& start, const Value& stop, const Value& step);

// What a loop goes through: a list's items, a dictionary's keys, a string's characters, of undefined nothing.
// Whoever goes through it has to hold it.
Value::ListRef iterate(Budget& budget, const Value& value);
// Entries as (key, value) tuples.
Value entry_pairs(Budget& budget, const Dict& dict);
// len(): null where it has none.
std::optional<std::int64_t> length(Budget& budget, const Value& value);

// Numbers, booleans among them, as Python's numeric tower has them.
bool is_number(const Value& value);
// The integer that a boolean or integer is, else null.
std::optional<std::int64_t> as_integer(const Value& value);

} // namespace ingot::runtime::jinja
