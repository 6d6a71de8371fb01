// The cheap orders: every buffer once, never moved again.
#pragma once

#include <optional>

#include "passes/memory/deadline.h"
#include "passes/memory/problem.h"

namespace ingot::passes::memory {

enum class GreedyOrder : std::uint8_t {
    size, // largest first, ties by longer life
    area, // most bytes times time first
    life, // longest life first, ties by size
};
enum class GreedyFit : std::uint8_t {
    lowest, // at the lowest offset that is free over its whole life
    best,   // in the smallest gap below the buffers that are placed, else on top of them
};

// In O(n²) at worst. Nothing where an end would exceed 2^63 bytes, or the deadline passes.
std::optional<Placement> place_greedily(const Problem& problem, GreedyOrder order, GreedyFit fit,
                                        const Deadline& deadline);

// The lowest of all orders and fits; the first whose peak is `enough` or less ends the search.
std::optional<Placement> place_greedily(const Problem& problem, uint64_t enough, const Deadline& deadline);

} // namespace ingot::passes::memory
