// GPU kernels around matrix products.
#pragma once

#include <set>
#include <string>

#include "codegen/kernel_source.h"
#include "codegen/region.h"

namespace ingot::codegen {

// Emits the body of the kernel for a region with a product; fills in what the source says beside its text.
void emit_gpu_product_kernel(const Region& region, const Target& target, SourceText& out,
                             std::set<std::string>& headers, KernelSource& source);

} // namespace ingot::codegen
