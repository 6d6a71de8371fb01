// What logits say of the next token: probabilities, and how far two sets of them are apart.
#pragma once

#include <cstdint>
#include <span>

namespace ingot::tools {

// -log P(id) under softmax(logits), in nats, computed in f64.
double negative_log_likelihood(std::span<const float> logits, int32_t id);

// KL(P || Q) in nats, P = softmax(reference), Q = softmax(logits); both of one length. Kullback & Leibler
// 1951.
double kl_divergence(std::span<const float> reference, std::span<const float> logits);

// Index of the largest logit, the first among equals.
int32_t best_token(std::span<const float> logits);

} // namespace ingot::tools
