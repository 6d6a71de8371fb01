// Kernels around matrix products: what comes before, the products, what follows while the result is in
// registers.
#pragma once

#include <set>
#include <string>
#include <vector>

#include "codegen/kernel_source.h"
#include "codegen/region.h"

namespace ingot::codegen {

// Emits the body of the kernel function for a region with matrix products, and adds to `weights` what it
// streams.
void emit_product_kernel(const Region& region, SourceText& out, std::set<std::string>& headers,
                         std::vector<StreamedWeights>& weights);

} // namespace ingot::codegen
