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

} // namespace ingot::runtime::jinja
