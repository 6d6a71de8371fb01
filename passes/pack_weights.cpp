#include "passes/pack_weights.h"

#include <algorithm>
#include <map>

#include "passes/rewrite.h"

namespace ingot::passes {

using namespace ir;

namespace {

// True if the product's result is read by exactly two slices, its halves, and both are read by pointwise ops
// only.
bool is_pair(const Graph& body, const Node& matmul, const std::vector<std::vector<NodeId>>& read_by) {
    const ValueId y = matmul.results[0];
    const int64_t columns = body.type(y).dims.back().constant();
    if (read_by[y].size() != 2 || columns % 2 != 0) return false;
    if (std::find(body.results.begin(), body.results.end(), y) != body.results.end()) return false;
    int64_t begin = 0;
    for (NodeId id : read_by[y]) {
        const Node& n = body.nodes[id];
        if (n.op != Op::slice_cols || int_attr(n, "begin") != begin ||
            int_attr(n, "end") != begin + columns / 2)
            return false;
        begin += columns / 2;
        for (NodeId reader : read_by[n.results[0]])
            if (!is_pointwise(body.nodes[reader].op)) return false;
    }
    return true;
}

// The layout that the body wants of each of its params; rows where it does not care.
std::vector<Layout> wanted_layouts(const Graph& body, bool row_tiles) {
    const Layout plain = row_tiles ? Layout::row_tiles : Layout::panel16;
    const Layout pair = row_tiles ? Layout::row_tiles_pair : Layout::panel16_pair;
    const auto read_by = readers(body);
    std::vector<Layout> out;
    for (ValueId p : body.params) {
        Layout layout = Layout::rows;
        for (NodeId id : read_by[p]) {
            const Node& n = body.nodes[id];
            if (n.op == Op::matmul && n.operands[1] == p)
                layout = is_pair(body, n, read_by) ? pair : plain;
            else if (n.op == Op::embed && n.operands[1] == p && layout == Layout::rows)
                layout = plain;
        }
        out.push_back(layout);
    }
    return out;
}

} // namespace

void pack_weights(Graph& g, const PassContext& context) {
    Rewriter r(g);
    std::map<std::pair<ValueId, Layout>, ValueId> packed;
    for (NodeId id = 0; id < g.nodes.size(); ++id) {
        const Node& n = g.nodes[id];
        if (n.op != Op::fused) {
            r.copy(id);
            continue;
        }
        Graph body = g.bodies[n.body];
        std::vector<ValueId> operands = r(n.operands);
        const std::vector<Layout> layouts = wanted_layouts(body, context.row_tiles);
        for (size_t i = 0; i < operands.size(); ++i) {
            if (layouts[i] == Layout::rows || !is_weights(r.graph, operands[i])) continue;
            Type type = r.graph.type(operands[i]);
            if (type.layout != Layout::rows) continue;
            type.layout = layouts[i];
            body.values[body.params[i]].type.layout = layouts[i];
            auto& made = packed.try_emplace({operands[i], layouts[i]}, no_id).first->second;
            if (made == no_id) {
                const Value& source = r.graph.values[operands[i]];
                std::string name = source.name;
                if (const Node* p = r.graph.producer(operands[i]); name.empty() && p) name = p->name;
                made = r.graph.nodes[r.graph.add_node(Op::pack, {operands[i]}, {type}, {}, name)].results[0];
            }
            operands[i] = made;
        }
        std::vector<Type> types;
        for (ValueId v : n.results)
            types.push_back(g.type(v));
        const NodeId made = r.graph.add_node(Op::fused, operands, types, n.attrs, n.name, std::move(body));
        for (size_t i = 0; i < n.results.size(); ++i)
            r.inherit(n.results[i], r.graph.nodes[made].results[i]);
    }
    r.graph.phase = Phase::packed;
    for (Graph& body : r.graph.bodies)
        body.phase = Phase::packed;
    g = r.finish();
}

} // namespace ingot::passes
