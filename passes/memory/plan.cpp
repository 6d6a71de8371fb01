#include "passes/memory/plan.h"

#include "ir/error.h"

#include <algorithm>
#include <numeric>

namespace ingot::passes::memory {

namespace {

constexpr uint64_t largest = uint64_t{1} << 63;

uint64_t checked_sum(uint64_t a, uint64_t b) {
    uint64_t sum;
    if (__builtin_add_overflow(a, b, &sum) || sum > largest)
        throw ir::Error("memory plan", "the sizes of the buffers add up to more than 2^63 bytes");
    return sum;
}

bool overlap_in_time(const Buffer& a, const Buffer& b) {
    return a.lower < b.upper && b.lower < a.upper;
}

uint64_t align_up(uint64_t offset, uint64_t alignment) {
    return checked_sum(offset, alignment - 1) / alignment * alignment;
}

} // namespace

uint64_t lower_bound(const Problem& problem) {
    // Live bytes change only where a buffer begins, and are largest right there.
    uint64_t bound = 0;
    for (const Buffer& at : problem.buffers) {
        uint64_t live = 0;
        for (const Buffer& b : problem.buffers)
            if (b.lower <= at.lower && at.lower < b.upper) live = checked_sum(live, b.size);
        bound = std::max(bound, live);
    }
    return bound;
}

Placement plan(const Problem& problem) {
    const std::vector<Buffer>& buffers = problem.buffers;
    std::vector<size_t> order(buffers.size());
    std::iota(order.begin(), order.end(), size_t{0});
    std::stable_sort(order.begin(), order.end(), [&](size_t a, size_t b) {
        if (buffers[a].size != buffers[b].size) return buffers[a].size > buffers[b].size;
        return buffers[a].upper - buffers[a].lower > buffers[b].upper - buffers[b].lower;
    });
    Placement out{.offsets = std::vector<uint64_t>(buffers.size(), 0)};
    std::vector<size_t> placed; // sorted by offset
    for (const size_t i : order) {
        uint64_t offset = 0;
        for (const size_t j : placed) {
            if (!overlap_in_time(buffers[i], buffers[j])) continue;
            if (checked_sum(offset, buffers[i].size) <= out.offsets[j]) break;
            offset = std::max(offset,
                              align_up(checked_sum(out.offsets[j], buffers[j].size), buffers[i].alignment));
        }
        out.offsets[i] = offset;
        out.peak = std::max(out.peak, checked_sum(offset, buffers[i].size));
        placed.insert(std::upper_bound(placed.begin(), placed.end(), offset,
                                       [&](uint64_t o, size_t j) { return o < out.offsets[j]; }),
                      i);
    }
    return out;
}

} // namespace ingot::passes::memory
