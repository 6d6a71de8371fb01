#pragma once

#include "passes/context.h"

namespace ingot::passes {

// Puts matrix products of one input side by side: matmul(x, Wq), matmul(x, Wk), matmul(x, Wv) become one
// product with concat_rows(Wq, Wk, Wv) and three slices of its columns; likewise gate and up. One kernel then
// streams one tensor, reads its input once, and has enough rows to share among threads or waves. Only weights
// of one element and one K are merged, because a kernel's inner loop is made for one block format; and only
// those that nothing else reads, because a plan would hold the others twice. The concatenation costs nothing
// at run time, it is done when the plan is written.
void merge_projections(ir::Graph& g, const PassContext& context);

} // namespace ingot::passes
