// A model's logits by the reference evaluator: what everything else is judged by.
#pragma once

#include <cstdint>
#include <functional>
#include <span>

#include "frontend/import.h"

namespace ingot::frontend {

// Is given the logits after each of the ids, in order: f32 [vocabulary], valid during the call.
using EachLogits = std::function<void(size_t index, std::span<const float> logits)>;

// Runs the graphs `prefill` and `head` of an imported model, in the phase that they are in, on the ids of one
// sequence from its first position on. `first` is the first index whose logits are wanted. Slow: seconds a
// token for a hundred million weights. Throws ir::Error for ids outside of the vocabulary, none, or more than
// the graphs' step or context holds.
void reference_logits(const Model& model, std::span<const int32_t> ids, size_t first, const EachLogits& each);

} // namespace ingot::frontend
