// Graphs as pictures, for Graphviz.
#pragma once

#include <string>

#include "ir/graph.h"

namespace ingot::ir {

// A digraph in the DOT language (https://graphviz.org/doc/info/lang.html): params and nodes are vertices,
// bodies are clusters, and an edge has the colour of its value's pool. The graph must be well-formed.
std::string dot(const Graph& g);

} // namespace ingot::ir
