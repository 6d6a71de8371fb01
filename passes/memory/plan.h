// The memory planner: lifetimes in, offsets out. Pure functions; the clock can only end a search early.
#pragma once

#include "passes/memory/problem.h"
#include "passes/memory/search.h"

namespace ingot::passes::memory {

struct PlanResult {
    SearchEnd end = SearchEnd::limit;
    Placement placement{}; // where found
    uint64_t bound = 0;    // lower_bound(problem)
    uint64_t steps = 0;    // of the exact search; 0 where a cheap order was good enough
};

// A placement with peak <= capacity: by the cheap orders (greedy.h), else by the exact search (search.h),
// within about so many seconds. Throws ir::Error for a problem that isn't sound (problem.h).
PlanResult plan_within(const Problem& problem, uint64_t capacity, double seconds);

// The lowest placement that is found: the best of the cheap orders where that meets the lower bound, as it
// does for decoders, whose live sets follow each other in a chain; else the exact search, which tries the
// lower bound and, where that fails, capacities between it and the best that is known. Throws ir::Error for a
// problem that isn't sound, and where not even the exact search finds a placement below 2^63 bytes.
Placement plan(const Problem& problem, double seconds);

} // namespace ingot::passes::memory
