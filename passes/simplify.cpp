#include "passes/simplify.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstring>
#include <unordered_map>

#include "ir/evaluate.h"
#include "passes/rewrite.h"

namespace ingot::passes {

using namespace ir;

namespace {

constexpr uint64_t largest_folded_bytes = uint64_t{64} * 1024;

bool has_effect(const Graph& g, const Node& n) {
    if (info(n.op).effect != Effect::none) return true;
    if (n.body == no_id) return false;
    const Graph& body = g.bodies[n.body];
    return std::any_of(body.nodes.begin(), body.nodes.end(),
                       [&](const Node& b) { return has_effect(body, b); });
}

bool is_constant(const Graph& g, ValueId v) {
    const Node* n = g.producer(v);
    return n && n->op == Op::constant;
}

bool foldable(const Graph& g, const Node& n) {
    if (n.op == Op::constant || n.operands.empty() || n.body != no_id || has_effect(g, n)) return false;
    const Type& type = g.type(n.results[0]);
    if (type.element != Element::f32 && type.element != Element::i32) return false;
    for (const Dim& d : type.dims)
        if (d.is_symbol()) return false;
    if (max_bytes(type, g.symbols) > largest_folded_bytes) return false;
    return std::all_of(n.operands.begin(), n.operands.end(), [&](ValueId v) { return is_constant(g, v); });
}

// The node alone, with the constants that feed it, as a graph that the evaluator can run. Nothing in it
// depends on a symbol.
Tensor evaluate_alone(const Graph& g, const Node& n) {
    Graph alone;
    alone.name = "folded";
    std::vector<ValueId> operands;
    for (ValueId v : n.operands) {
        const Node& c = *g.producer(v);
        const NodeId made = alone.add_node(Op::constant, {}, {g.type(v)}, c.attrs);
        operands.push_back(alone.nodes[made].results[0]);
    }
    const NodeId made = alone.add_node(n.op, operands, {g.type(n.results[0])}, n.attrs, n.name);
    alone.results = alone.nodes[made].results;
    return evaluate(alone, {}).front();
}

std::vector<double> numbers(const Tensor& t) {
    std::vector<double> out(static_cast<size_t>(t.count()));
    for (size_t i = 0; i < out.size(); ++i) {
        if (t.element == Element::i32) {
            int32_t x;
            std::memcpy(&x, t.data.data() + 4 * i, 4);
            out[i] = x;
        } else {
            float x;
            std::memcpy(&x, t.data.data() + 4 * i, 4);
            out[i] = x;
        }
    }
    return out;
}

// Two nodes are the same computation if this is equal for both. Types are part of it: a constant's element,
// or the layout that a pack makes, stands only there.
struct Fingerprint {
    Op op;
    std::vector<ValueId> operands;
    std::vector<Attr> attrs;
    std::vector<Type> types;
    bool operator==(const Fingerprint&) const = default;
};

size_t mixed(size_t hash, size_t more) {
    return hash * 1000003 + more;
}

// Equal for equal attributes, so that all NaNs are one.
size_t hash_of(double v) {
    return std::isnan(v) ? 0 : std::hash<uint64_t>()(std::bit_cast<uint64_t>(v));
}
size_t hash_of(int64_t v) {
    return std::hash<int64_t>()(v);
}
size_t hash_of(const std::string& v) {
    return std::hash<std::string>()(v);
}
template <class T>
size_t hash_of(const std::vector<T>& list) {
    size_t h = list.size();
    for (const T& v : list)
        h = mixed(h, hash_of(v));
    return h;
}

struct FingerprintHash {
    size_t operator()(const Fingerprint& f) const {
        size_t h = static_cast<size_t>(f.op);
        for (ValueId v : f.operands)
            h = mixed(h, v);
        for (const Attr& a : f.attrs)
            h = mixed(h, std::visit([](const auto& v) { return hash_of(v); }, a.value));
        return h;
    }
};

} // namespace

void fold_constants(Graph& g, const PassContext&) {
    Rewriter r(g);
    for (NodeId id = 0; id < g.nodes.size(); ++id) {
        // A fold can make the next node foldable, so the question is asked of the graph under construction.
        const Node& n = g.nodes[id];
        const NodeId made = r.copy(id);
        if (is_result(g, n.results[0]) || !foldable(r.graph, r.graph.nodes[made])) continue;
        const Tensor value = evaluate_alone(r.graph, r.graph.nodes[made]);
        Node& folded = r.graph.nodes[made];
        folded.op = Op::constant;
        folded.operands.clear();
        folded.attrs = {{"values", numbers(value)}};
        folded.name = n.name;
        r.graph.values[folded.results[0]].type.pool = Pool::weights;
    }
    g = r.finish();
}

void merge_common_subexpressions(Graph& g, const PassContext&) {
    Rewriter r(g);
    std::unordered_map<Fingerprint, NodeId, FingerprintHash> seen;
    for (NodeId id = 0; id < g.nodes.size(); ++id) {
        const Node& n = g.nodes[id];
        if (has_effect(g, n) || n.body != no_id) {
            r.copy(id);
            continue;
        }
        Fingerprint f{n.op, r(n.operands), n.attrs, {}};
        bool leaves = false; // an io result must keep a place of its own
        for (ValueId v : n.results) {
            f.types.push_back(g.type(v));
            leaves |= g.type(v).pool == Pool::io;
        }
        if (leaves) {
            r.copy(id);
            continue;
        }
        const auto [at, is_new] = seen.try_emplace(std::move(f), no_id);
        if (is_new) {
            at->second = r.copy(id);
            continue;
        }
        const Node& first = r.graph.nodes[at->second];
        for (size_t i = 0; i < n.results.size(); ++i)
            r.map(n.results[i], first.results[i]);
    }
    g = r.finish();
}

void remove_dead_nodes(Graph& g, const PassContext&) {
    std::vector<bool> live(g.values.size(), false);
    std::vector<bool> keep(g.nodes.size(), false);
    for (ValueId v : g.results)
        live[v] = true;
    for (NodeId id = static_cast<NodeId>(g.nodes.size()); id-- > 0;) {
        const Node& n = g.nodes[id];
        keep[id] = has_effect(g, n) ||
                   std::any_of(n.results.begin(), n.results.end(), [&](ValueId v) { return live[v]; });
        if (keep[id])
            for (ValueId v : n.operands)
                live[v] = true;
    }
    Rewriter r(g);
    for (NodeId id = 0; id < g.nodes.size(); ++id)
        if (keep[id]) r.copy(id);
    g = r.finish();
}

} // namespace ingot::passes
