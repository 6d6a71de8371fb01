#pragma once

#include "passes/context.h"

namespace ingot::passes {

// Gives cached keys the layout in which the target's attention reads them. Imported graphs have the host's,
// which heads that are no whole octets keep.
void lay_out_caches(ir::Graph& g, const PassContext& context);

} // namespace ingot::passes
