// Command lines of the compilers.
#pragma once

#include <string>
#include <vector>

#include "codegen/targets.h"

namespace ingot::codegen {

// All that a compiler is told for a target, beside source and headers. Kernels of GPUs find their target's
// row in macros, whatever the compiler:
//   INGOT_AMDGCN or INGOT_NVPTX, INGOT_WAVE=<lanes>, INGOT_GROUP_MEMORY=<bytes>,
//   INGOT_DOT4_<dot4> and INGOT_MATRIX_<matrix> with the row's words: INGOT_MATRIX_wmma_gfx11.
std::vector<std::string> compiler_flags(const Target& target, Compiler compiler);

} // namespace ingot::codegen
