// Identity of the program and of the libraries that it has loaded.
#pragma once

#include <functional>
#include <string>
#include <string_view>

namespace ingot::codegen {

// The first 12 hex digits of the GNU build id of each loaded object that `wanted` accepts, or of the file's
// SHA-256 where it was linked without one, each after a blank, in the order in which they were loaded. The
// program itself is the one with the empty name.
std::string loaded_build_ids(const std::function<bool(std::string_view name)>& wanted);

} // namespace ingot::codegen
