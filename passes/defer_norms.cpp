#include "passes/defer_norms.h"

#include <algorithm>
#include <map>

#include "passes/rewrite.h"

namespace ingot::passes {

using namespace ir;

namespace {

// Whether products alone read a value.
bool feeds_products(const Graph& g, const std::vector<NodeId>& readers, ValueId v) {
    if (std::find(g.results.begin(), g.results.end(), v) != g.results.end()) return false;
    return std::all_of(readers.begin(), readers.end(), [&](NodeId id) {
        return g.nodes[id].op == Op::matmul && g.nodes[id].operands[0] == v;
    });
}

} // namespace

void defer_norms(Graph& g, const PassContext& context) {
    if (!context.defer_norms) return;
    const auto read_by = readers(g);
    std::map<ValueId, ValueId> scales; // by the norm's result in the old graph, in the new one
    Rewriter r(g);
    for (NodeId id = 0; id < g.nodes.size(); ++id) {
        const Node& n = g.nodes[id];
        if (n.op == Op::rms_norm && feeds_products(g, read_by[n.results[0]], n.results[0])) {
            const ValueId x = r(n.operands[0]);
            r.map(n.results[0], r.graph.add(Op::mul, {x, r(n.operands[1])}, {}, n.name));
            const ValueId sums = r.graph.add(Op::square_sums, {x}, {}, n.name + ".sums");
            scales[n.results[0]] = r.graph.add(
                Op::norm_scale, {sums},
                {{"eps", float_attr(n, "eps")}, {"columns", g.type(n.results[0]).dims.back().constant()}},
                n.name + ".scale");
            continue;
        }
        const auto scale = n.op == Op::matmul ? scales.find(n.operands[0]) : scales.end();
        if (scale == scales.end()) {
            r.copy(id);
            continue;
        }
        const ValueId y = r.graph.add(Op::matmul, r(n.operands), {}, n.name);
        r.inherit(n.results[0], r.graph.add(Op::mul, {y, scale->second}, {}, n.name + ".scaled"));
    }
    g = r.finish();
}

} // namespace ingot::passes
