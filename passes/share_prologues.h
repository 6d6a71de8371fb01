#pragma once

#include "passes/context.h"

namespace ingot::passes {

// Where a step can have several tokens, the normalised (and quantised) input of a kernel's products becomes
// an extra result of the kernel, so that it has planned memory and the threads compute it once, each a part,
// and meet at a barrier. With one token every thread computes it for itself: that is cheaper than the
// barrier.
void share_prologues(ir::Graph& g, const PassContext& context);

} // namespace ingot::passes
