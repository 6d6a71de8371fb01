// Planning problems for tests, made from a seed.
#pragma once

#include <random>

#include "passes/memory/problem.h"

namespace ingot::passes::memory::test {

struct RandomProblem {
    int64_t times = 8;
    uint64_t most_size = 8;
    std::vector<uint64_t> alignments = {1};
};
// `count` buffers of sizes 1 to most_size, each of some life within [0, times).
Problem random_problem(size_t count, const RandomProblem& how, std::mt19937& random);

// A rectangle of `times` by `capacity` cut into buffers that fill it without a gap, so that its lower bound,
// the capacity, can be reached. No part is narrower or lower than 1.
Problem perfect_problem(size_t count, int64_t times, uint64_t capacity, std::mt19937& random);

// The lowest peak of all placements, by trying every order of at most 8 buffers: in the order of its offsets,
// each buffer of a compact placement stands on those before it.
uint64_t best_peak(const Problem& problem);

} // namespace ingot::passes::memory::test
