// Graphs whose params come up while their nodes are made.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "ir/graph.h"

namespace ingot::test {

// Adds a param behind whatever is there. The draft is no well-formed graph until params_first() has put it in
// order.
inline ir::ValueId draft_param(ir::Graph& draft, std::string name, ir::Type type) {
    const auto id = static_cast<ir::ValueId>(draft.values.size());
    draft.values.push_back(
        {.type = std::move(type), .name = std::move(name), .producer = ir::no_id, .placement = {}});
    draft.params.push_back(id);
    return id;
}

// The draft, of nodes with one result and no body, numbered as ir::Graph wants it.
inline ir::Graph params_first(const ir::Graph& draft) {
    std::vector<ir::ValueId> renumbered(draft.values.size());
    ir::Graph out;
    out.name = draft.name;
    out.phase = draft.phase;
    out.symbols = draft.symbols;
    for (const ir::ValueId v : draft.params)
        renumbered[v] = out.add_param(draft.values[v].name, draft.type(v));
    for (const ir::Node& n : draft.nodes) {
        std::vector<ir::ValueId> operands;
        for (const ir::ValueId v : n.operands)
            operands.push_back(renumbered[v]);
        const ir::ValueId old = n.results[0];
        const ir::NodeId id = out.add_node(n.op, std::move(operands), {draft.type(old)}, n.attrs, n.name);
        renumbered[old] = out.nodes[id].results[0];
        out.values[renumbered[old]].name = draft.values[old].name;
    }
    for (const ir::ValueId v : draft.results)
        out.results.push_back(renumbered[v]);
    return out;
}

} // namespace ingot::test
