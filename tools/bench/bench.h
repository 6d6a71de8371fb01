// How fast a plan runs on a device.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "runtime/session.h"
#include "tools/bench/machine_limits.h"

namespace ingot::tools {

struct BenchOptions {
    std::vector<uint32_t> prompts = {512};   // tokens of a prompt, a test each; 0: none
    std::vector<uint32_t> generated = {128}; // tokens that follow, a test each; 0: none
    uint32_t depth = 0;                      // positions that the cache holds before a test
    uint32_t sequences = 1;                  // generated side by side
    uint32_t repetitions = 5;
    std::function<void(const std::string& test, uint64_t done, uint64_t total)> progress;
};

struct BenchResult {
    std::string test;                         // "pp512", "tg128", "tg128 @ 4096"
    double mean = 0, deviation = 0, best = 0; // tokens a second over the repetitions
    // The machine's limit and which share of it the mean reaches: read bandwidth for generation,
    // operations for prompts.
    uint64_t bytes_per_token = 0; // weights that one step reads, over all sequences' tokens; 0 for prompts
    double limit = 0, share = 0;  // tokens a second; 0 where the limits are not known
};

// Every test starts from an empty cache, runs once unmeasured, and then `repetitions` times. Ids are drawn
// from the whole vocabulary; sampling is not part of it. Throws Failure{bad_input} for tests that the
// session's context does not hold.
std::vector<BenchResult> run_bench(runtime::Session& session, const BenchOptions& options,
                                   const MachineLimits& limits);

} // namespace ingot::tools
