#include <map>
#include <optional>

#include <fmt/format.h>

#include "ir/print.h"
#include "passes/plan_memory.h"
#include "plan_generated.h"
#include "tools/driver/failure.h"
#include "tools/driver/graphs_in_phase.h"
#include "tools/inspect/plan_summary.h"

namespace ingot::tools {

namespace {

// "blk.3." of "blk.3.attn_qkv"; empty for what belongs to no layer.
std::string layer_of(const std::string& launch) {
    if (!launch.starts_with("blk.")) return {};
    const size_t dot = launch.find('.', 4);
    return dot == launch.npos ? std::string() : launch.substr(0, dot + 1);
}

size_t launches_a_layer(const std::vector<LaunchSummary>& launches) {
    std::map<std::string, size_t> counts;
    for (const LaunchSummary& launch : launches)
        if (const std::string layer = layer_of(launch.name); !layer.empty()) ++counts[layer];
    for (const auto& [layer, count] : counts)
        if (count != counts.begin()->second) return 0;
    return counts.empty() ? 0 : counts.begin()->second;
}

std::string name_of(const ir::Graph& graph, ir::ValueId v) {
    const ir::Value& value = graph.values[v];
    if (!value.name.empty()) return value.name;
    const ir::Node& node = graph.nodes[value.producer];
    return node.results.size() == 1 ? node.name : fmt::format("{}.{}", node.name, v - node.results.front());
}

std::vector<ArenaValue> arena_values(const ir::Graph& graph) {
    std::vector<size_t> launch_of; // by node: launches up to and with it
    size_t launches = 0;
    for (const ir::Node& node : graph.nodes)
        launch_of.push_back(node.op == ir::Op::launch ? launches++ : launches);
    std::vector<ArenaValue> out;
    for (const passes::Lifetime& l : passes::transient_lifetimes(graph)) {
        const auto& placement = graph.values[l.value].placement;
        if (!placement) continue; // the verifier has seen to it that there is one
        out.push_back({.name = name_of(graph, l.value),
                       .offset = placement->offset,
                       .bytes = placement->bytes,
                       .first = launch_of[l.first],
                       .last = launch_of[l.last]});
    }
    return out;
}

} // namespace

std::vector<ProgramSummary> summarize_programs(const runtime::PlanFile& plan) {
    std::vector<ProgramSummary> out;
    const std::vector<ir::Graph> graphs = graphs_of_plan(plan);
    for (const plan::Program* program : *plan.description().programs()) {
        ProgramSummary summary{.name = program->name()->str(),
                               .launches = {},
                               .layers = program->layers(),
                               .launches_a_layer = 0,
                               .bytes_read = 0,
                               .peak = program->peak_transient(),
                               .lower_bound = program->lower_bound_transient(),
                               .values = arena_values(graphs[out.size()])};
        for (const plan::Launch* launch : *program->launches()) {
            summary.launches.push_back({.name = launch->name()->str(),
                                        .kernel = launch->kernel(),
                                        .bytes_read = launch->bytes_read()});
            summary.bytes_read += launch->bytes_read();
        }
        summary.launches_a_layer = launches_a_layer(summary.launches);
        out.push_back(std::move(summary));
    }
    return out;
}

size_t device_allocations(const runtime::PlanFile& plan) {
    const plan::Plan& p = plan.description();
    size_t count = 0;
    for (const uint64_t bytes : {p.weights_bytes(), p.state_bytes(), p.transient_bytes(), p.io_bytes()})
        count += bytes > 0 ? 1 : 0;
    return count;
}

} // namespace ingot::tools
