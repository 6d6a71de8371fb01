// Proves that a graph is well-formed. Runs after every pass, in every build.
#pragma once

#include "ir/graph.h"

namespace ingot::ir {

// Throws Error whose `where` is "graph NAME, node %N OP (NODE NAME)" and whose message is the rule that is
// broken: structure (dense ids, definition before use, producer links), operand and attribute lists against
// the op table, type rules, ops legal in the phase, effects (a cache version is appended to at most once, and
// nothing reads an old version after that), pools (only `transient` values have a placement; weights ops only
// on weights), bodies (params and results match the node), placements (every transient top-level value has
// one from `planned` on, none overlap while both live).
void verify(const Graph& g);

} // namespace ingot::ir
