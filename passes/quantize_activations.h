#pragma once

#include "passes/context.h"

namespace ingot::passes {

// Gives every product with quantised weights an input of 8-bit blocks (q8a), so that it runs on integer dot
// instructions. The input is quantised once, whatever the number of products that read it; fusion then puts
// the quantize into the kernel that makes the value. Without this pass (`--precision f32`) products are
// computed in f32.
void quantize_activations(ir::Graph& g, const PassContext& context);

} // namespace ingot::passes
