#include "passes/plan_memory.h"

#include "passes/memory/check.h"
#include "passes/memory/plan.h"
#include "passes/rewrite.h"

#include <algorithm>

namespace ingot::passes {

using namespace ir;

namespace {

uint64_t rounded(uint64_t bytes, uint64_t alignment) {
    return (bytes + alignment - 1) / alignment * alignment;
}

// Time is the number of the node.
memory::Problem problem_of(const std::vector<Lifetime>& lifetimes, uint64_t alignment) {
    memory::Problem problem;
    for (const Lifetime& l : lifetimes)
        problem.buffers.push_back(
            {.size = l.bytes, .lower = l.first, .upper = int64_t{l.last} + 1, .alignment = alignment});
    return problem;
}

} // namespace

// Sizes are whole multiples of the alignment, so that the bound is one that a placement with aligned offsets
// can reach.
std::vector<Lifetime> transient_lifetimes(const Graph& g, const PassContext& context) {
    std::vector<Lifetime> out;
    const auto read_by = readers(g);
    for (NodeId id = 0; id < g.nodes.size(); ++id)
        for (ValueId v : g.nodes[id].results) {
            if (g.type(v).pool != Pool::transient) continue;
            const NodeId last_read = read_by[v].empty() ? id : read_by[v].back();
            out.push_back({.value = v,
                           .first = id,
                           .last = is_result(g, v) ? static_cast<NodeId>(g.nodes.size() - 1) : last_read,
                           .bytes = rounded(max_bytes(g.type(v), g.symbols), context.alignment)});
        }
    return out;
}

void plan_memory(Graph& g, const PassContext& context) {
    const std::vector<Lifetime> lifetimes = transient_lifetimes(g, context);
    const memory::Problem problem = problem_of(lifetimes, context.alignment);
    const memory::Placement placement = memory::plan(problem, context.planner_seconds);
    memory::check_placement(problem, placement);
    for (size_t i = 0; i < lifetimes.size(); ++i)
        g.values[lifetimes[i].value].placement = Placement{
            .offset = placement.offsets[i], .bytes = max_bytes(g.type(lifetimes[i].value), g.symbols)};
    g.phase = Phase::planned;
    for (Graph& body : g.bodies)
        body.phase = Phase::planned;
}

MemoryReport memory_report(const Graph& planned, const PassContext& context) {
    const std::vector<Lifetime> lifetimes = transient_lifetimes(planned, context);
    MemoryReport report{.peak = 0,
                        .lower_bound = memory::lower_bound(problem_of(lifetimes, context.alignment))};
    for (const Lifetime& l : lifetimes)
        if (const auto& p = planned.values[l.value].placement)
            report.peak = std::max(report.peak, p->offset + l.bytes);
    return report;
}

} // namespace ingot::passes
