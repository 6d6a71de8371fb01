// A builtin's arguments as the types that it needs. Each throws Error{invalid_argument} without a place for
// another.
#pragma once

#include "runtime/text/jinja/builtin.h"

#include <cstdint>
#include <string_view>

namespace ingot::runtime::jinja {

// What a method or filter is applied to, where that has to be a string or a dictionary.
const MarkedText& text_subject(const Arguments& arguments);
const Dict& dict_subject(const Arguments& arguments);

// Undefined and none alike.
bool is_absent(const Value& value);

const MarkedText& text_of(const Value& value, std::string_view what);
std::int64_t integer_of(const Value& value, std::string_view what);
// `otherwise` where the value is absent.
std::int64_t integer_or(const Value& value, std::int64_t otherwise, std::string_view what);

const Dict& dict_of(const Value& value, std::string_view what);

// Applies the test or filter `arguments.inner` to `item`.
Value apply_inner(const Arguments& arguments, const Value& item);

} // namespace ingot::runtime::jinja
