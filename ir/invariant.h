// Assertions on our own promises. They stay on in every build: a wrong graph must never become a wrong plan.
#pragma once

#include <cstdio>
#include <cstdlib>

namespace ingot::ir {

// Ends the program with the invariant's text on stderr if it does not hold: a bug of ours, never of the
// input.
inline void invariant(bool holds, const char* text) {
    if (holds) return;
    std::fprintf(stderr, "ingot: broken invariant: %s\n", text);
    std::abort();
}

} // namespace ingot::ir
