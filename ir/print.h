// Text form of graphs. parse(print(g)) == g for every well-formed graph (docs/IR.md has the grammar).
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "ir/graph.h"

namespace ingot::ir {

std::string print(const Graph& g);
std::string print(const Type& type, std::span<const Symbol> symbols);

// Reads one graph. Throws Error{"NAME:LINE:COLUMN", message}; any bytes give a graph or an error. Does not
// verify.
Graph parse(std::string_view text, std::string_view source_name = "text");

// Several graphs one after the other, as `ingot dump` prints them.
std::vector<Graph> parse_all(std::string_view text, std::string_view source_name = "text");

} // namespace ingot::ir
