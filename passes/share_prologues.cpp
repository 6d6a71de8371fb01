#include "passes/share_prologues.h"

#include <algorithm>

#include "passes/rewrite.h"

namespace ingot::passes {

using namespace ir;

namespace {

// The inputs of the body's products that the body itself computes by a norm, gather or quantize.
std::vector<ValueId> shared_inputs(const Graph& body) {
    std::vector<ValueId> out;
    for (const Node& n : body.nodes) {
        if (n.op != Op::matmul) continue;
        const ValueId x = n.operands[0];
        if (!body.producer(x) || std::find(out.begin(), out.end(), x) != out.end()) continue;
        if (std::find(body.results.begin(), body.results.end(), x) != body.results.end()) continue;
        out.push_back(x);
    }
    return out;
}

bool single_row(const Graph& g, ValueId v) {
    const Dim& rows = g.type(v).dims.front();
    return !rows.is_symbol() ? rows.constant() == 1 : g.symbols[rows.symbol_index()].max == 1;
}

} // namespace

void share_prologues(Graph& g, const PassContext&) {
    Rewriter r(g);
    for (NodeId id = 0; id < g.nodes.size(); ++id) {
        const Node& n = g.nodes[id];
        if (n.op != Op::fused) {
            r.copy(id);
            continue;
        }
        Graph body = g.bodies[n.body];
        std::vector<Type> types;
        for (ValueId v : n.results)
            types.push_back(g.type(v));
        for (ValueId v : shared_inputs(body)) {
            if (single_row(body, v)) continue;
            body.results.push_back(v);
            types.push_back(body.type(v));
        }
        const NodeId made =
            r.graph.add_node(Op::fused, r(n.operands), types, n.attrs, n.name, std::move(body));
        for (size_t i = 0; i < n.results.size(); ++i)
            r.inherit(n.results[i], r.graph.nodes[made].results[i]);
    }
    g = r.finish();
}

} // namespace ingot::passes
