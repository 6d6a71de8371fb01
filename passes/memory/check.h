// The judge of placements. It shares nothing with the planner but the problem's types.
#pragma once

#include "passes/memory/problem.h"

namespace ingot::passes::memory {

// Proves, in one sweep through time, that no two buffers that live at the same time overlap in space, that
// every offset is aligned and that the peak is right. Throws ir::Error with the first fault, by the buffers'
// numbers.
void check_placement(const Problem& problem, const Placement& placement);

} // namespace ingot::passes::memory
