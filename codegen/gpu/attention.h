// GPU kernels of attention.
#pragma once

#include <set>
#include <string>

#include "codegen/kernel_source.h"
#include "codegen/region.h"

namespace ingot::codegen {

// Emits the body of the kernel for attention, alone or with its result quantised, of few tokens; fills in
// what the source says beside its text.
void emit_gpu_attention(const Region& region, const Target& target, SourceText& out,
                        std::set<std::string>& headers, KernelSource& source);

} // namespace ingot::codegen
