#include "passes/memory/greedy.h"

#include "passes/memory/align.h"

#include <algorithm>
#include <array>
#include <numeric>

namespace ingot::passes::memory {

namespace {

constexpr uint64_t largest = uint64_t{1} << 63;

uint64_t life(const Buffer& b) {
    return static_cast<uint64_t>(b.upper) - static_cast<uint64_t>(b.lower);
}

double area(const Buffer& b) {
    return static_cast<double>(b.size) * static_cast<double>(life(b));
}

bool comes_first(const Buffer& a, const Buffer& b, GreedyOrder order) {
    switch (order) {
    case GreedyOrder::size:
        return a.size != b.size ? a.size > b.size : life(a) > life(b);
    case GreedyOrder::area:
        return area(a) > area(b);
    case GreedyOrder::life:
        break;
    }
    return life(a) != life(b) ? life(a) > life(b) : a.size > b.size;
}

bool overlap_in_time(const Buffer& a, const Buffer& b) {
    return a.lower < b.upper && b.lower < a.upper;
}

// Where the buffer goes among those that are placed, which are sorted by offset.
uint64_t find_offset(const Problem& problem, const std::vector<uint64_t>& offsets,
                     const std::vector<size_t>& placed, const Buffer& buffer, GreedyFit fit) {
    uint64_t free = 0; // everything below is taken, or was too small
    uint64_t best = no_offset, best_gap = no_offset;
    for (const size_t j : placed) {
        const Buffer& other = problem.buffers[j];
        if (!overlap_in_time(buffer, other)) continue;
        if (saturating_sum(free, buffer.size) <= offsets[j]) {
            const uint64_t gap = offsets[j] - free;
            if (gap < best_gap) {
                best = free;
                best_gap = gap;
            }
            if (fit == GreedyFit::lowest) break;
        }
        free = std::max(free, align_up(saturating_sum(offsets[j], other.size), buffer.alignment));
    }
    return best == no_offset ? free : best;
}

} // namespace

std::optional<Placement> place_greedily(const Problem& problem, GreedyOrder order, GreedyFit fit,
                                        const Deadline& deadline) {
    const std::vector<Buffer>& buffers = problem.buffers;
    std::vector<size_t> in_order(buffers.size());
    std::iota(in_order.begin(), in_order.end(), size_t{0});
    std::erase_if(in_order, [&](size_t i) { return !takes_space(buffers[i]); });
    std::stable_sort(in_order.begin(), in_order.end(),
                     [&](size_t a, size_t b) { return comes_first(buffers[a], buffers[b], order); });
    Placement out{.offsets = std::vector<uint64_t>(buffers.size(), 0)};
    std::vector<size_t> placed;
    placed.reserve(in_order.size());
    for (const size_t i : in_order) {
        if (deadline.passed()) return std::nullopt;
        const uint64_t offset = find_offset(problem, out.offsets, placed, buffers[i], fit);
        const uint64_t top = saturating_sum(offset, buffers[i].size);
        if (top > largest) return std::nullopt;
        out.offsets[i] = offset;
        out.peak = std::max(out.peak, top);
        placed.insert(std::upper_bound(placed.begin(), placed.end(), offset,
                                       [&](uint64_t o, size_t j) { return o < out.offsets[j]; }),
                      i);
    }
    return out;
}

std::optional<Placement> place_greedily(const Problem& problem, uint64_t enough, const Deadline& deadline) {
    std::optional<Placement> best;
    for (const GreedyFit fit : {GreedyFit::lowest, GreedyFit::best})
        for (const GreedyOrder order : {GreedyOrder::size, GreedyOrder::area, GreedyOrder::life}) {
            auto placement = place_greedily(problem, order, fit, deadline);
            if (placement && (!best || placement->peak < best->peak)) best = std::move(placement);
            if (best && best->peak <= enough) return best;
        }
    return best;
}

} // namespace ingot::passes::memory
