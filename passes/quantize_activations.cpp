#include "passes/quantize_activations.h"

#include <map>

#include "passes/rewrite.h"

namespace ingot::passes {

using namespace ir;

void quantize_activations(Graph& g, const PassContext&) {
    Rewriter r(g);
    std::map<ValueId, ValueId> quantized; // new f32 value → its q8a form
    for (NodeId id = 0; id < g.nodes.size(); ++id) {
        const NodeId made = [&] {
            const Node& n = g.nodes[id];
            if (n.op == Op::matmul && is_quantized(g.type(n.operands[1]).element) &&
                g.type(n.operands[0]).element == Element::f32) {
                const ValueId x = r(n.operands[0]);
                if (!quantized.contains(x)) quantized[x] = r.graph.add(Op::quantize, {x}, {}, n.name);
            }
            return r.copy(id);
        }();
        Node& n = r.graph.nodes[made];
        if (n.op != Op::matmul) continue;
        if (const auto q = quantized.find(n.operands[0]);
            q != quantized.end() && is_quantized(r.graph.type(n.operands[1]).element))
            n.operands[0] = q->second;
    }
    g = r.finish();
}

} // namespace ingot::passes
