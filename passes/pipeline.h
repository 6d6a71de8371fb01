// The pipeline: one readable list, with phase marks.
#pragma once

#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "passes/context.h"

namespace ingot::passes {

struct Pass {
    std::string_view name; // as `--disable-pass` and `--passes` spell it
    void (*run)(ir::Graph&, const PassContext&);
    ir::Phase phase; // of the graph afterwards
    bool required;   // a phase mark hangs on it, so it can't be disabled
    std::string_view summary;
};

// All passes in the order in which they run.
std::span<const Pass> pipeline();
const Pass* find_pass(std::string_view name); // null if there is none

struct PipelineOptions {
    std::vector<std::string> disabled = {}; // names; unknown or required ones throw ir::Error
    ir::Phase stop_after = ir::Phase::planned;
    // Called after each pass with its time in seconds and whether it changed the graph.
    std::function<void(const Pass&, const ir::Graph&, double seconds, bool changed)> observer = {};
};

// Runs the pipeline on an imported graph; verifies after every pass.
void run_pipeline(ir::Graph& g, const PassContext& context, const PipelineOptions& options = {});

// Runs the named passes alone, in the order given; verifies before the first and after each. Throws ir::Error
// for an unknown pass, and for one that needs a graph in another phase.
void run_passes(ir::Graph& g, std::span<const std::string> names, const PassContext& context);

} // namespace ingot::passes
