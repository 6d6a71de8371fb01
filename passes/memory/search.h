// The exact search: a placement within a capacity, or the proof that there is none.
//
// Branch and bound as in TelaMalloc (Maas et al., ASPLOS 2022) and MiniMalloc (Moffitt, ASPLOS 2023), from
// which come the sections of time, compact placements, independent parts, and several rankings in turn. What
// differs is where it branches: not on the next buffer by offset, but on one section at the bottom of a pit
// (pits.h), where few buffers can lie: the choice is one of these, or to leave the ground of that section
// bare. Choices in different pits don't depend on each other. Which pit comes first is learned from failures
// (Boussemart et al., "Boosting systematic search by weighting constraints", ECAI 2004).
#pragma once

#include <vector>

#include "passes/memory/deadline.h"
#include "passes/memory/search_model.h"

namespace ingot::passes::memory {

enum class SearchEnd : std::uint8_t {
    found,
    impossible, // proven: no placement has this capacity
    limit,      // neither, within the limits
};

// How often each section has been found overfull; what one search has learned serves the next one of the same
// part.
using SectionFailures = std::vector<uint64_t>;

struct SearchLimits {
    uint64_t steps = UINT64_MAX; // buffers put somewhere, or bare grounds left
    Deadline deadline = Deadline::never();
};

struct SearchResult {
    SearchEnd end = SearchEnd::limit;
    std::vector<uint64_t> offsets{}; // units, one an item; where found
    uint64_t steps = 0;
};

// One search from the start. `failures` has an entry for each section. The result depends on nothing but the
// arguments, except that the deadline can end the search.
SearchResult search(const SearchModel& model, uint64_t capacity, SectionFailures& failures,
                    const SearchLimits& limits);

} // namespace ingot::passes::memory
