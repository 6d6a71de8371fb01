// Which build of Ingot this is.
#pragma once

#include <filesystem>
#include <optional>
#include <string>

#include "codegen/targets.h"

namespace ingot::tools {

// "0.1.0"
std::string version();
// GNU build id of this program: changes with every change of its code, kernel templates included.
std::string program_build_id();
// Build id of a compiler (version and its libraries). That of LLVM is remembered for as long as the worker's
// file does not change. Throws Failure{failed} where it can't be used.
std::string compiler_build_id(codegen::Compiler compiler, const std::filesystem::path& cache);
// Of the compiler that is used for a target: the wanted one, or what codegen/choose_compiler.h finds.
std::string compiler_build_id(const codegen::Target& target, std::optional<codegen::Compiler> wanted,
                              const std::filesystem::path& cache);

} // namespace ingot::tools
