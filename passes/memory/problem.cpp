#include "passes/memory/problem.h"

#include "ir/error.h"

#include <algorithm>
#include <fmt/format.h>

namespace ingot::passes::memory {

namespace {

constexpr uint64_t largest = uint64_t{1} << 63;

struct Event {
    int64_t time;
    bool begins; // ends come first: a buffer is gone at its upper time
    uint64_t size;
};

} // namespace

bool takes_space(const Buffer& buffer) {
    return buffer.size > 0 && buffer.lower < buffer.upper;
}

void require_sound(const Problem& problem) {
    if (problem.buffers.size() > UINT32_MAX)
        throw ir::Error("memory plan",
                        fmt::format("{} buffers; at most 2^32 - 1 can be planned", problem.buffers.size()));
    for (size_t i = 0; i < problem.buffers.size(); ++i) {
        const Buffer& b = problem.buffers[i];
        if (b.alignment == 0)
            throw ir::Error(fmt::format("memory plan: buffer {}", i), "alignment 0; it must be at least 1");
        if (b.lower > b.upper)
            throw ir::Error(fmt::format("memory plan: buffer {}", i),
                            fmt::format("its life [{}, {}) ends before it begins", b.lower, b.upper));
    }
}

uint64_t lower_bound(const Problem& problem) {
    std::vector<Event> events;
    for (const Buffer& b : problem.buffers)
        if (takes_space(b)) {
            events.push_back({.time = b.lower, .begins = true, .size = b.size});
            events.push_back({.time = b.upper, .begins = false, .size = b.size});
        }
    std::sort(events.begin(), events.end(), [](const Event& a, const Event& b) {
        return a.time != b.time ? a.time < b.time : a.begins < b.begins;
    });
    uint64_t bound = 0, live = 0;
    for (const Event& e : events) {
        if (!e.begins)
            live -= e.size;
        else if (__builtin_add_overflow(live, e.size, &live) || live > largest)
            throw ir::Error("memory plan", "the sizes of the buffers add up to more than 2^63 bytes");
        bound = std::max(bound, live);
    }
    return bound;
}

uint64_t peak_of(const Problem& problem, const std::vector<uint64_t>& offsets) {
    uint64_t peak = 0;
    for (size_t i = 0; i < problem.buffers.size(); ++i) {
        if (!takes_space(problem.buffers[i])) continue;
        uint64_t top;
        if (__builtin_add_overflow(offsets[i], problem.buffers[i].size, &top))
            throw ir::Error(fmt::format("memory plan: buffer {}", i), "its end exceeds 2^64 - 1 bytes");
        peak = std::max(peak, top);
    }
    return peak;
}

} // namespace ingot::passes::memory
