#pragma once

#include "passes/context.h"

namespace ingot::passes {

// Fixes the order in which kernels run. Work on weights comes first: it happens when the plan is written. Of
// the kernels whose inputs are there and that change no cache which another has yet to read, the next is the
// one that grows the live transient bytes least; ties keep the order of the model. A decoder is a chain, so
// for it this changes nothing, but a wide graph gets a smaller arena.
void schedule(ir::Graph& g, const PassContext& context);

} // namespace ingot::passes
