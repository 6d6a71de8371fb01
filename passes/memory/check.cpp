#include "passes/memory/check.h"

#include <algorithm>
#include <fmt/format.h>
#include <map>
#include <stdexcept>
#include <string>

namespace ingot::passes::memory {

namespace {

[[noreturn]] void fault(const std::string& what) {
    throw std::logic_error("memory plan: " + what);
}

} // namespace

void check_placement(const Problem& problem, const Placement& placement) {
    const std::vector<Buffer>& buffers = problem.buffers;
    const std::vector<uint64_t>& offsets = placement.offsets;
    if (offsets.size() != buffers.size())
        fault(fmt::format("{} offsets for {} buffers", offsets.size(), buffers.size()));

    std::vector<size_t> by_begin, by_end;
    uint64_t peak = 0;
    for (size_t i = 0; i < buffers.size(); ++i) {
        const Buffer& b = buffers[i];
        if (b.alignment == 0 || offsets[i] % b.alignment != 0)
            fault(fmt::format("buffer {} at offset {} is not aligned to {}", i, offsets[i], b.alignment));
        if (b.lower > b.upper) fault(fmt::format("buffer {} ends before it begins", i));
        if (b.size == 0 || b.lower == b.upper) continue;
        if (offsets[i] > UINT64_MAX - b.size)
            fault(fmt::format("buffer {} at offset {} ends beyond 2^64 - 1", i, offsets[i]));
        peak = std::max(peak, offsets[i] + b.size);
        by_begin.push_back(i);
    }
    if (peak != placement.peak)
        fault(fmt::format("the peak is {}, where {} is claimed", peak, placement.peak));

    by_end = by_begin;
    std::sort(by_begin.begin(), by_begin.end(),
              [&](size_t a, size_t b) { return buffers[a].lower < buffers[b].lower; });
    std::sort(by_end.begin(), by_end.end(),
              [&](size_t a, size_t b) { return buffers[a].upper < buffers[b].upper; });
    // The live buffers by offset. As long as none overlap, a new one can only overlap its two neighbours.
    std::map<uint64_t, size_t> live;
    size_t ended = 0;
    for (const size_t i : by_begin) {
        for (; buffers[by_end[ended]].upper <= buffers[i].lower; ++ended)
            live.erase(offsets[by_end[ended]]);
        const auto above = live.lower_bound(offsets[i]);
        const auto refuse = [&](size_t other) {
            fault(fmt::format("buffers {} and {} overlap at time {}: [{}, {}) and [{}, {})", other, i,
                              buffers[i].lower, offsets[other], offsets[other] + buffers[other].size,
                              offsets[i], offsets[i] + buffers[i].size));
        };
        if (above != live.end() && above->first < offsets[i] + buffers[i].size) refuse(above->second);
        if (above != live.begin())
            if (const size_t below = std::prev(above)->second;
                offsets[below] + buffers[below].size > offsets[i])
                refuse(below);
        live.emplace(offsets[i], i);
    }
}

} // namespace ingot::passes::memory
