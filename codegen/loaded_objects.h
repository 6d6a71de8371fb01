// Identity of the program and of the libraries that it has loaded, from their GNU build ids.
#pragma once

#include <functional>
#include <string>
#include <string_view>

namespace ingot::codegen {

// The first 12 hex digits of the build id of each loaded object that `wanted` accepts, each after a blank, in
// the order in which they were loaded. The program itself is the one with the empty name. An object that was
// linked without an id gives the blank alone.
std::string loaded_build_ids(const std::function<bool(std::string_view name)>& wanted);

} // namespace ingot::codegen
