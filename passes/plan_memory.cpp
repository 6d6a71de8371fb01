#include "passes/plan_memory.h"

#include "passes/memory/plan.h"
#include "passes/rewrite.h"

#include <algorithm>

namespace ingot::passes {

using namespace ir;

namespace {

struct Lifetimes {
    memory::Problem problem;
    std::vector<ValueId> values; // of the problem's buffers
};

uint64_t rounded(uint64_t bytes, uint64_t alignment) {
    return (bytes + alignment - 1) / alignment * alignment;
}

// Time is the number of the node. Sizes are whole multiples of the alignment, so that the bound is one that a
// placement with aligned offsets can reach.
Lifetimes lifetimes(const Graph& g, uint64_t alignment) {
    Lifetimes out;
    const auto read_by = readers(g);
    for (NodeId id = 0; id < g.nodes.size(); ++id)
        for (ValueId v : g.nodes[id].results) {
            if (g.type(v).pool != Pool::transient) continue;
            const int64_t last = read_by[v].empty() ? id : std::max(id, read_by[v].back());
            out.problem.buffers.push_back({.size = rounded(max_bytes(g.type(v), g.symbols), alignment),
                                           .lower = id,
                                           .upper = last + 1,
                                           .alignment = alignment});
            out.values.push_back(v);
        }
    return out;
}

} // namespace

void plan_memory(Graph& g, const PassContext& context) {
    const Lifetimes l = lifetimes(g, context.alignment);
    const memory::Placement placement = memory::plan(l.problem);
    for (size_t i = 0; i < l.values.size(); ++i)
        g.values[l.values[i]].placement =
            Placement{.offset = placement.offsets[i], .bytes = max_bytes(g.type(l.values[i]), g.symbols)};
    g.phase = Phase::planned;
    for (Graph& body : g.bodies)
        body.phase = Phase::planned;
}

MemoryReport memory_report(const Graph& planned, const PassContext& context) {
    const Lifetimes l = lifetimes(planned, context.alignment);
    MemoryReport report{.peak = 0, .lower_bound = memory::lower_bound(l.problem)};
    for (size_t i = 0; i < l.values.size(); ++i)
        if (const auto& p = planned.values[l.values[i]].placement)
            report.peak = std::max(report.peak, p->offset + l.problem.buffers[i].size);
    return report;
}

} // namespace ingot::passes
