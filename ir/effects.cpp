#include "ir/effects.h"

namespace ingot::ir {
namespace {

uint32_t index_of(const std::vector<ValueId>& list, ValueId v) {
    for (size_t i = 0; i < list.size(); ++i)
        if (list[i] == v) return static_cast<uint32_t>(i);
    return no_id;
}

} // namespace

std::vector<ValueId> replaced_operands(const Graph& g, const Node& n) {
    std::vector<ValueId> replaced(n.results.size(), no_id);
    if (info(n.op).effect == Effect::append && !replaced.empty() && !n.operands.empty())
        replaced[0] = n.operands[0];
    if (n.body == no_id) return replaced;
    const Graph& body = g.bodies[n.body];
    const std::vector<ValueId> roots = storage_roots(body);
    for (size_t i = 0; i < replaced.size() && i < body.results.size(); ++i) {
        const ValueId root = roots[body.results[i]];
        if (root == body.results[i]) continue;
        if (const uint32_t param = index_of(body.params, root); param < n.operands.size())
            replaced[i] = n.operands[param];
    }
    return replaced;
}

std::vector<ValueId> storage_roots(const Graph& g) {
    std::vector<ValueId> roots(g.values.size());
    for (ValueId v = 0; v < roots.size(); ++v)
        roots[v] = v;
    for (const Node& n : g.nodes) {
        const std::vector<ValueId> replaced = replaced_operands(g, n);
        for (size_t i = 0; i < replaced.size(); ++i)
            if (replaced[i] != no_id) roots[n.results[i]] = roots[replaced[i]];
    }
    return roots;
}

ValueId storage_root(const Graph& g, ValueId v) {
    for (;;) {
        const Node* producer = g.producer(v);
        if (producer == nullptr) return v;
        const ValueId before = replaced_operands(g, *producer)[index_of(producer->results, v)];
        if (before == no_id) return v;
        v = before;
    }
}

} // namespace ingot::ir
