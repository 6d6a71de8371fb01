// The verifier's parts: one function a concern, each throwing Error for the first broken rule. verify() runs
// them in this order; only the first may be given a graph whose ids are wrong.
#pragma once

#include <string>

#include "ir/graph.h"

namespace ingot::ir {

// The graph that is looked at, and how messages name it.
struct Scope {
    const Graph& graph;
    const Graph* around = nullptr; // the graph whose node has this one as its body
    std::string name;              // "graph NAME" or "..., node %N fused (x), body"
    Phase phase = Phase::imported; // of the outermost graph

    [[noreturn]] void fail(const std::string& message) const;
    [[noreturn]] void fail(const Node& n, const std::string& message) const;
    [[noreturn]] void fail_value(ValueId v, const std::string& message) const;
};

std::string node_name(const Node& n); // "node %N OP (NAME)", %N being its first result as the text shows it

void check_structure(const Scope& s);  // symbols, ids, numbering, names
void check_types(const Scope& s);      // each value's type by itself
void check_nodes(const Scope& s);      // op table, type rules, phases
void check_bodies(const Scope& s);     // regions against their nodes
void check_pools(const Scope& s);      // who may make and hold values of which pool
void check_effects(const Scope& s);    // versions of caches
void check_placements(const Scope& s); // what the memory planner decided

} // namespace ingot::ir
