#include "codegen/compilers.h"

#include <algorithm>
#include <array>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "ir/error.h"

namespace ingot::codegen {

namespace {

constexpr std::array<std::string_view, 3> names = {"llvm", "hiprtc", "nvrtc"}; // in the order of Compiler

} // namespace

std::vector<std::string> compiler_names() {
    return {names.begin(), names.end()};
}

std::string_view compiler_name(Compiler compiler) {
    return names[static_cast<size_t>(compiler)];
}

Compiler compiler_from_name(std::string_view name) {
    const auto at = std::find(names.begin(), names.end(), name);
    if (at == names.end())
        throw ir::Error(fmt::format("compiler {}", name),
                        fmt::format("there is no such compiler; there are {}", fmt::join(names, ", ")));
    return static_cast<Compiler>(at - names.begin());
}

} // namespace ingot::codegen
