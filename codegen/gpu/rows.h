// GPU kernels without a product: rows of tables, angles, and what is computed element by element.
#pragma once

#include <set>
#include <string>

#include "codegen/kernel_source.h"
#include "codegen/region.h"

namespace ingot::codegen {

// Emits the body of the kernel for a region of embed, gather_rows, rope_angles, slice_cols, rope, pointwise
// ops, quantize, square_sums and kv_append; fills in what the source says beside its text.
void emit_gpu_row_kernel(const Region& region, SourceText& out, std::set<std::string>& headers,
                         KernelSource& source);

} // namespace ingot::codegen
