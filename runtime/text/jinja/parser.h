// Source to template. What is not understood is refused here, before anything is rendered.
#pragma once

#include "runtime/text/jinja/syntax.h"

#include <string>
#include <string_view>

namespace ingot::runtime::jinja {

// Throws Error{bad_file} for what is no Jinja and Error{unsupported} for Jinja that is not in the subset,
// naming line, column and construct; `name` stands in front.
Template parse(std::string_view source, std::string name);

} // namespace ingot::runtime::jinja
