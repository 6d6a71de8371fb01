// Arguments of a call to the parameters of what is called.
#pragma once

#include "runtime/text/jinja/syntax.h"

#include <string>
#include <utility>
#include <vector>

namespace ingot::runtime::jinja {

struct CallArguments {
    Exprs positional;
    std::vector<std::pair<std::string, ExprPtr>> named;
};

// Throws Error without a place, bad_file for arguments that are missing, too many or unknown, unsupported for
// a test or filter named by an argument that isn't known or isn't a literal.
BuiltinCall bind_arguments(const Builtin& builtin, ExprPtr subject, CallArguments given);

using NamedValues = std::vector<std::pair<NameId, Value>>;

// The value that a call gives each parameter of `macro`, null where its default counts; the pointers lead
// into `positional` and `named`. `names` are the template's. Throws Error{invalid_argument} without a place.
std::vector<const Value*> bind_values(const Macro& macro, const std::vector<std::string>& names,
                                      const Items& positional, const NamedValues& named);

} // namespace ingot::runtime::jinja
