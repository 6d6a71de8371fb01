// The value of a string literal.
#pragma once

#include <string>
#include <string_view>

namespace ingot::runtime::jinja {

// `body` is what stands between the quotes, with Python's escapes
// (docs.python.org/3/reference/lexical_analysis, "Escape sequences"); an unknown one keeps its backslash.
// Throws Error{bad_file} or Error{unsupported} without a place, for digits that are missing, for surrogates
// and for \N.
std::string unescape(std::string_view body);

} // namespace ingot::runtime::jinja
