// Two forms of a graph have to compute the same, by the reference evaluator on random inputs.
#pragma once

#include <cstdint>
#include <string_view>

#include "ir/graph.h"

namespace ingot::tests {

// What a pass may change: nothing but the order in which an evaluator rounds, or the loss of 8-bit
// activations.
double allowed_nmse(std::string_view pass);

// Expects equal results for random inputs drawn from `seed`: f32 and caches within `nmse`, and ids exactly
// unless that is so large that another may be the best. NaN never passes. Both graphs have the same params.
void expect_same_numbers(const ir::Graph& before, const ir::Graph& after, uint64_t seed, double nmse);

} // namespace ingot::tests
