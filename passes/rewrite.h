// The way in which every pass makes its new graph: front to back, so that the numbering invariants of
// ir::Graph hold by construction.
#pragma once

#include <vector>

#include "ir/graph.h"

namespace ingot::passes {

class Rewriter {
  public:
    // Starts an empty graph with the name, phase, symbols and params of `old`.
    explicit Rewriter(const ir::Graph& old);

    // The new value that stands for an old one. Asserts that there is one.
    ir::ValueId operator()(ir::ValueId old_value) const;
    std::vector<ir::ValueId> operator()(const std::vector<ir::ValueId>& old_values) const;
    // From here on `new_value` stands for `old_value`.
    void map(ir::ValueId old_value, ir::ValueId new_value);
    bool has(ir::ValueId old_value) const { return map_[old_value] != ir::no_id; }

    // Copies one node of the old graph, operands mapped, and maps its results.
    ir::NodeId copy(ir::NodeId old_node);
    // Copies a result's name and pool onto the value that replaces it.
    void inherit(ir::ValueId old_value, ir::ValueId new_value);

    // Maps the graph's results and returns the graph. Call once, at the end.
    ir::Graph finish();

    ir::Graph graph; // the graph under construction

  private:
    const ir::Graph& old_;
    std::vector<ir::ValueId> map_;
};

// True if the value is computed from weights and constants alone, so that it can be made when the plan is
// written.
bool is_weights(const ir::Graph& g, ir::ValueId v);

bool is_result(const ir::Graph& g, ir::ValueId v); // of the graph

} // namespace ingot::passes
