#include "passes/pack_weights.h"

#include <algorithm>
#include <map>

#include <fmt/format.h>

#include "passes/rewrite.h"

namespace ingot::passes {

using namespace ir;

namespace {

// True if the product's result is read by exactly two slices, its halves, both are read by pointwise ops
// only, and these meet.
bool is_pair(const Graph& body, const Node& matmul, const std::vector<std::vector<NodeId>>& read_by) {
    const ValueId y = matmul.results[0];
    const int64_t columns = body.type(y).dims.back().constant();
    if (read_by[y].size() != 2 || columns % 2 != 0 || is_result(body, y)) return false;
    std::vector<unsigned> halves(body.values.size(), 0); // of which each value is computed: bit 0, bit 1
    int64_t begin = 0;
    for (NodeId id : read_by[y]) {
        const Node& n = body.nodes[id];
        if (n.op != Op::slice_cols || int_attr(n, "begin") != begin ||
            int_attr(n, "end") != begin + columns / 2)
            return false;
        halves[n.results[0]] = begin == 0 ? 1 : 2;
        begin += columns / 2;
        for (NodeId reader : read_by[n.results[0]])
            if (!is_pointwise(body.nodes[reader].op)) return false;
    }
    for (const Node& n : body.nodes)
        if (is_pointwise(n.op))
            for (ValueId v : n.operands)
                halves[n.results[0]] |= halves[v];
    return std::ranges::find(halves, 3U) != halves.end();
}

// The layout in which a kernel reads one of a node's operands; rows where it does not care.
Layout wanted_layout(const Graph& body, const Node& n, size_t operand,
                     const std::vector<std::vector<NodeId>>& read_by, bool row_tiles) {
    if (operand != 1 || (n.op != Op::matmul && n.op != Op::embed)) return Layout::rows;
    if (n.op == Op::matmul && is_pair(body, n, read_by))
        return row_tiles ? Layout::row_tiles_pair : Layout::panel16_pair;
    return row_tiles ? Layout::row_tiles : Layout::panel16;
}

// One param of a body in one layout.
struct View {
    size_t param;
    Layout layout;
    bool operator==(const View&) const = default;
};

// What the params of a body become: each in the first layout in which a node reads it, behind them those that
// are read in another one too. Only `packable` ones are packed.
std::vector<View> views_of(const Graph& body, const std::vector<bool>& packable, bool row_tiles) {
    const auto read_by = readers(body);
    std::vector<View> first, others;
    for (size_t p = 0; p < body.params.size(); ++p) {
        std::vector<View> wanted;
        for (NodeId id : read_by[body.params[p]]) {
            const Node& n = body.nodes[id];
            for (size_t i = 0; i < n.operands.size(); ++i) {
                if (n.operands[i] != body.params[p]) continue;
                const View view{p, packable[p] ? wanted_layout(body, n, i, read_by, row_tiles)
                                               : body.type(p).layout};
                if (std::ranges::find(wanted, view) == wanted.end()) wanted.push_back(view);
            }
        }
        if (wanted.empty()) wanted.push_back({p, body.type(body.params[p]).layout});
        first.push_back(wanted.front());
        others.insert(others.end(), wanted.begin() + 1, wanted.end());
    }
    first.insert(first.end(), others.begin(), others.end());
    return first;
}

// The body with a param for each view, read by the nodes that want its layout.
Graph with_views(const Graph& body, const std::vector<View>& views, bool row_tiles) {
    const auto read_by = readers(body);
    Rewriter r(body);
    for (size_t i = 0; i < views.size(); ++i) {
        if (i >= body.params.size())
            r.graph.add_param(fmt::format("{}", i), body.type(body.params[views[i].param]));
        r.graph.values[i].type.layout = views[i].layout;
    }
    for (NodeId id = 0; id < body.nodes.size(); ++id) {
        const Node& n = body.nodes[id];
        const NodeId made = r.copy(id);
        for (size_t i = 0; i < n.operands.size(); ++i) {
            const View view{n.operands[i], wanted_layout(body, n, i, read_by, row_tiles)};
            if (const auto at = std::ranges::find(views, view); at != views.end())
                r.graph.nodes[made].operands[i] = static_cast<ValueId>(at - views.begin());
        }
    }
    return r.finish();
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
        const std::vector<ValueId> unpacked = r(n.operands);
        std::vector<bool> packable;
        for (ValueId v : unpacked)
            packable.push_back(is_weights(r.graph, v) && r.graph.type(v).layout == Layout::rows);
        const std::vector<View> views = views_of(g.bodies[n.body], packable, context.row_tiles);
        Graph body = with_views(g.bodies[n.body], views, context.row_tiles);
        std::vector<ValueId> operands;
        for (const View& view : views) {
            const ValueId source = unpacked[view.param];
            Type type = r.graph.type(source);
            if (view.layout == type.layout) {
                operands.push_back(source);
                continue;
            }
            type.layout = view.layout;
            auto& made = packed.try_emplace({source, view.layout}, no_id).first->second;
            if (made == no_id) {
                std::string name = r.graph.values[source].name;
                if (const Node* p = r.graph.producer(source); name.empty() && p) name = p->name;
                made = r.graph.nodes[r.graph.add_node(Op::pack, {source}, {type}, {}, name)].results[0];
            }
            operands.push_back(made);
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
