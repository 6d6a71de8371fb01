// Effects: which results of a node are new versions of an operand, changed in place.
#pragma once

#include <vector>

#include "ir/graph.h"

namespace ingot::ir {

// For each result of `n`, a node of `g`: the operand whose storage it takes over, or no_id. The body of a
// region says which of the region's operands its results are versions of.
std::vector<ValueId> replaced_operands(const Graph& g, const Node& n);

// For each value: the one whose storage it is a version of, followed back to a param, or the value itself if
// nothing was changed in place.
std::vector<ValueId> storage_roots(const Graph& g);
// The same for one value.
ValueId storage_root(const Graph& g, ValueId v);

} // namespace ingot::ir
