#pragma once

#include "passes/context.h"

namespace ingot::passes {

// Gives every weight that a product or an embedding reads the layout in which its kernel reads it, by a
// `pack` node that runs once, when the plan is written. A product whose two halves meet in one pointwise
// expression (gate and up) gets its panels in turn from either half, so that a kernel has both halves of a
// result in registers at once. An embedding that is also the head keeps one copy: its rows are read out of
// the panels. A kernel that reads one weight in two ways gets it twice.
void pack_weights(ir::Graph& g, const PassContext& context);

} // namespace ingot::passes
