// Errors that name a place in a template.
#pragma once

#include "runtime/error.h"

#include <cstddef>
#include <string>
#include <string_view>

namespace ingot::runtime::jinja {

// An Error at byte `at` of `source`; where() is "name:line:column", both from 1, columns in characters.
Error source_error(Code code, std::string_view name, std::string_view source, std::size_t at,
                   const std::string& message);

} // namespace ingot::runtime::jinja
