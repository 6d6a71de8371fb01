// The compilers that kernels can be compiled with.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace ingot::codegen {

// llvm: Clang and LLD 22, in the worker; hiprtc: the installed HIP's run-time compiler; nvrtc: the installed
// CUDA's.
enum class Compiler : uint8_t { llvm, hiprtc, nvrtc };

std::vector<std::string> compiler_names();
std::string_view compiler_name(Compiler compiler);
// Throws ir::Error that lists the compilers if there is none of that name.
Compiler compiler_from_name(std::string_view name);

} // namespace ingot::codegen
