// Graphs as JSON, for tools that are not ours.
#pragma once

#include <string>

#include "ir/graph.h"

namespace ingot::ir {

// An object {name, phase, symbols, params, values, nodes, results}; nodes with a region have it under "body".
// Dims are numbers or names of symbols. Numbers that JSON lacks are the strings "nan", "inf", "-inf"; bytes
// that aren't UTF-8 become U+FFFD. docs/IR.md shows one.
std::string json(const Graph& g);

} // namespace ingot::ir
