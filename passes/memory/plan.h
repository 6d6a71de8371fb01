// The memory planner: lifetimes in, offsets out. A pure function.
#pragma once

#include "passes/memory/problem.h"

namespace ingot::passes::memory {

struct Placement {
    std::vector<uint64_t> offsets; // bytes, in the order of the problem's buffers
    uint64_t peak = 0;             // largest offset + size
};

// Places the largest buffers first, each at the lowest offset that is free over its whole life; ties by
// longer life. Optimal for the graphs of decoders, whose live sets follow each other in a chain.
Placement plan(const Problem& problem);

} // namespace ingot::passes::memory
