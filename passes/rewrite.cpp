#include "passes/rewrite.h"

#include <algorithm>
#include <cassert>

namespace ingot::passes {

using namespace ir;

Rewriter::Rewriter(const Graph& old) : old_(old), map_(old.values.size(), no_id) {
    graph.name = old.name;
    graph.phase = old.phase;
    graph.symbols = old.symbols;
    for (ValueId p : old.params)
        map_[p] = graph.add_param(old.values[p].name, old.values[p].type);
}

ValueId Rewriter::operator()(ValueId old_value) const {
    assert(map_[old_value] != no_id && "a value is used before the pass has made its replacement");
    return map_[old_value];
}

std::vector<ValueId> Rewriter::operator()(const std::vector<ValueId>& old_values) const {
    std::vector<ValueId> out;
    out.reserve(old_values.size());
    for (ValueId v : old_values)
        out.push_back((*this)(v));
    return out;
}

void Rewriter::map(ValueId old_value, ValueId new_value) {
    map_[old_value] = new_value;
}

NodeId Rewriter::copy(NodeId old_node) {
    const Node& n = old_.nodes[old_node];
    std::vector<Type> types;
    for (ValueId r : n.results)
        types.push_back(old_.values[r].type);
    const NodeId made = graph.add_node(n.op, (*this)(n.operands), std::move(types), n.attrs, n.name,
                                       n.body == no_id ? std::nullopt : std::optional(old_.bodies[n.body]));
    for (size_t i = 0; i < n.results.size(); ++i) {
        const ValueId r = graph.nodes[made].results[i];
        graph.values[r].name = old_.values[n.results[i]].name;
        graph.values[r].placement = old_.values[n.results[i]].placement;
        map(n.results[i], r);
    }
    return made;
}

void Rewriter::inherit(ValueId old_value, ValueId new_value) {
    graph.values[new_value].name = old_.values[old_value].name;
    graph.values[new_value].type.pool = old_.values[old_value].type.pool;
    map(old_value, new_value);
}

Graph Rewriter::finish() {
    graph.results = (*this)(old_.results);
    return std::move(graph);
}

bool is_weights(const Graph& g, ValueId v) {
    return g.values[v].type.pool == Pool::weights;
}

bool is_result(const Graph& g, ValueId v) {
    return std::find(g.results.begin(), g.results.end(), v) != g.results.end();
}

} // namespace ingot::passes
