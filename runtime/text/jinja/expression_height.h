// How high expressions stand over each other.
#pragma once

#include "runtime/text/jinja/syntax.h"

#include <cstdint>

namespace ingot::runtime::jinja {

// The greatest height among the operands of `node`; 0 where there are none.
std::uint32_t highest_operand(const decltype(Expr::node)& node);

} // namespace ingot::runtime::jinja
