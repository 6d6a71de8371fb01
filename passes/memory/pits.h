// What is left to place, section by section, and where the search branches.
//
// A pit is a run of sections in which the least offset that is still possible, the ground, is the same, and
// less than on both sides. Whoever lies on its ground lies wholly within the pit, with nothing below that
// could come later.
#pragma once

#include "passes/memory/search.h"
#include "passes/memory/search_state.h"

namespace ingot::passes::memory {

struct Branch {
    uint32_t section = 0;
    uint64_t ground = 0;       // units: the least offset that is possible in the section
    bool may_stay_bare = true; // the ground, without going over the capacity
};

class Pits {
  public:
    // `failures` of each section: read by choose, counted by survey.
    Pits(uint32_t sections, SectionFailures& failures)
        : ground_(sections), bytes_(sections), filled_(sections), choices_(sections), failures_(failures) {}

    // Takes stock of the unplaced ones among `items`, which must be connected in time. False: some section
    // can't hold what must still go there, even if each buffer could be cut and laid down in the order of its
    // least offset (the bound of one machine with release dates).
    bool survey(const SearchState& state, std::span<const uint32_t> items);

    // After a survey of `items`, none of which may be placed: a section at the bottom of a pit, with few
    // choices and many failures.
    Branch choose(const SearchState& state, std::span<const uint32_t> items) const;

  private:
    std::vector<uint64_t> ground_, bytes_, filled_; // of each section; units
    std::vector<uint32_t> choices_;                 // of each section: items that can lie on the ground
    SectionFailures& failures_;
    std::vector<std::pair<uint64_t, uint32_t>> by_lowest_;
};

} // namespace ingot::passes::memory
