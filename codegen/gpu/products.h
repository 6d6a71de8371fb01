// GPU kernels around matrix products.
#pragma once

#include <set>
#include <string>

#include "codegen/kernel_source.h"
#include "codegen/region.h"

namespace ingot::codegen {

// Most rows of activations for which a product is bound by its weights, so that they are streamed.
inline constexpr int64_t stream_rows = 16;

// Emits the body of the kernel for a region with products of at most stream_rows rows; fills in what the
// source says beside its text.
void emit_stream_kernel(const Region& region, const Target& target, SourceText& out,
                        std::set<std::string>& headers, KernelSource& source);

} // namespace ingot::codegen
