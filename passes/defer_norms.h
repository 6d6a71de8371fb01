#pragma once

#include "passes/context.h"

namespace ingot::passes {

// Takes each norm before products apart: x·w (and its quantisation) and the sums of squares of x are computed
// where x is made, tile by tile; the one number a row that is left, 1/rms(x), scales the products' results.
//
// Why: on a GPU no workgroup has a whole row of x when it makes a tile of it, and a kernel that normalises
// its whole input before it starts does so once in every workgroup: 2 to 4 µs at each of five kernels a
// layer. Scaling commutes with the product, and with quantising: the scale of a block of codes carries the
// factor.
void defer_norms(ir::Graph& g, const PassContext& context);

} // namespace ingot::passes
