// What `ingot inspect` says of a plan.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include <nlohmann/json_fwd.hpp>

#include "runtime/plan_file.h"

namespace ingot::tools {

// A transient value: where it lies in the arena of its program, and from which launch to which.
struct ArenaValue {
    std::string name;
    uint64_t offset = 0, bytes = 0;
    size_t first = 0, last = 0; // indices of launches, both included
};

struct LaunchSummary {
    std::string name;
    size_t kernel = 0; // index among the plan's kernels
    uint64_t bytes_read = 0;
};

struct ProgramSummary {
    std::string name;
    std::vector<LaunchSummary> launches;
    uint32_t layers = 0;
    // Launches of each decoder layer (named "blk.N."), where all layers have the same number; else 0.
    size_t launches_a_layer = 0;
    uint64_t bytes_read = 0; // weights, in one run
    uint64_t peak = 0, lower_bound = 0;
    std::vector<ArenaValue> values;
};

// Throws ir::Error or Failure{bad_input} where the plan's graphs contradict its launches.
std::vector<ProgramSummary> summarize_programs(const runtime::PlanFile& plan);

// Allocations that a session on this plan makes: an arena each.
size_t device_allocations(const runtime::PlanFile& plan);

std::string text_summary(const runtime::PlanFile& plan, const std::vector<ProgramSummary>& programs,
                         bool all_tensors);
nlohmann::json json_summary(const runtime::PlanFile& plan, const std::vector<ProgramSummary>& programs);

} // namespace ingot::tools
