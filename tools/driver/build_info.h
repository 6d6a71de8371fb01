// Which build of Ingot this is.
#pragma once

#include <filesystem>
#include <string>

namespace ingot::tools {

// "0.1.0"
std::string version();
// GNU build id of this program: changes with every change of its code, kernel templates included.
std::string program_build_id();
// Build id of the compile worker (compiler and its libraries), remembered for as long as the worker's file
// does not change. Throws Failure{failed} where there is no worker, or one that does not
// start.
std::string compiler_build_id(const std::filesystem::path& cache);

} // namespace ingot::tools
