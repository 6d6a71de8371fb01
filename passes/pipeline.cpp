#include "passes/pipeline.h"

#include <algorithm>
#include <array>
#include <chrono>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "ir/error.h"
#include "ir/verify.h"
#include "passes/defer_norms.h"
#include "passes/fuse_regions.h"
#include "passes/lay_out_caches.h"
#include "passes/merge_projections.h"
#include "passes/pack_weights.h"
#include "passes/plan_memory.h"
#include "passes/quantize_activations.h"
#include "passes/schedule.h"
#include "passes/share_prologues.h"
#include "passes/simplify.h"

namespace ingot::passes {

using namespace ir;

namespace {

void canonicalize(Graph& g, const PassContext&) {
    g.phase = Phase::canonical;
}

constexpr std::array list = {
    // The graph as the model has it, without what it need not compute.
    Pass{"fold-constants", fold_constants, Phase::imported, false, "compute what depends on constants alone"},
    Pass{"merge-common-subexpressions", merge_common_subexpressions, Phase::imported, false,
         "compute equal things once"},
    Pass{"remove-dead-nodes", remove_dead_nodes, Phase::imported, false, "drop what no result needs"},
    Pass{"canonicalize", canonicalize, Phase::canonical, true, "mark the canonical phase"},
    // What the kernels shall be.
    Pass{"defer-norms", defer_norms, Phase::canonical, false,
         "norms shared by their makers and readers (GPU)"},
    Pass{"merge-projections", merge_projections, Phase::canonical, false,
         "Q/K/V and gate/up weights side by side"},
    Pass{"quantize-activations", quantize_activations, Phase::canonical, false,
         "8-bit inputs for quantised weights"},
    Pass{"lay-out-caches", lay_out_caches, Phase::canonical, false,
         "keys as the target's attention reads them"},
    Pass{"fuse-regions", fuse_regions, Phase::fused, true, "cut the graph into kernels"},
    Pass{"share-prologues", share_prologues, Phase::fused, false,
         "normalised inputs computed once for many tokens"},
    // Where everything lies, and when it runs.
    Pass{"pack-weights", pack_weights, Phase::packed, true,
         "weights in the order in which kernels read them"},
    Pass{"schedule", schedule, Phase::scheduled, true, "order the kernels"},
    Pass{"plan-memory", plan_memory, Phase::planned, true, "offsets of all transient values"},
};

// The phase of the graphs that the pipeline gives to a pass.
Phase phase_before(const Pass& pass) {
    Phase phase = Phase::imported;
    for (const Pass& p : list) {
        if (p.name == pass.name) return phase;
        phase = p.phase;
    }
    return phase;
}

[[noreturn]] void fail_phase(const Pass& pass, Phase actual) {
    throw Error(fmt::format("pass {}", pass.name), fmt::format("it takes a graph that is {}; this one is {}",
                                                               text(phase_before(pass)), text(actual)));
}

void run_one(const Pass& pass, Graph& g, const PassContext& context) {
    const Phase before = g.phase;
    if (pass.required && before != phase_before(pass)) fail_phase(pass, before);
    pass.run(g, context);
    try {
        verify(g);
    } catch (const Error& e) {
        if (before != phase_before(pass)) fail_phase(pass, before);
        // The input was well-formed before, so this is our fault; say which pass it was.
        throw std::logic_error(fmt::format("after pass {}: {}", pass.name, e.what()));
    }
}

} // namespace

std::span<const Pass> pipeline() {
    return list;
}

const Pass* find_pass(std::string_view name) {
    const auto it = std::find_if(list.begin(), list.end(), [&](const Pass& p) { return p.name == name; });
    return it == list.end() ? nullptr : &*it;
}

static const Pass& known_pass(const std::string& name) {
    if (const Pass* p = find_pass(name)) return *p;
    std::vector<std::string_view> names;
    for (const Pass& p : list)
        names.push_back(p.name);
    throw Error("pass " + name, fmt::format("there is no such pass; there are {}", fmt::join(names, ", ")));
}

void run_pipeline(Graph& g, const PassContext& context, const PipelineOptions& options) {
    for (const std::string& name : options.disabled)
        if (known_pass(name).required) throw Error("pass " + name, "it begins a phase and can't be disabled");
    verify(g);
    for (const Pass& pass : list) {
        if (pass.phase > options.stop_after) return;
        if (std::find(options.disabled.begin(), options.disabled.end(), pass.name) != options.disabled.end())
            continue;
        const std::optional<Graph> before = options.observer ? std::optional(g) : std::nullopt;
        const auto start = std::chrono::steady_clock::now();
        run_one(pass, g, context);
        const std::chrono::duration<double> seconds = std::chrono::steady_clock::now() - start;
        if (options.observer) options.observer(pass, g, seconds.count(), g != *before);
    }
}

void run_passes(Graph& g, std::span<const std::string> names, const PassContext& context) {
    verify(g);
    for (const std::string& name : names)
        run_one(known_pass(name), g, context);
}

} // namespace ingot::passes
