#include "tools/eval/distribution.h"

#include <algorithm>
#include <cmath>

namespace ingot::tools {
namespace {

// log of the sum of exp(logit).
double log_partition(std::span<const float> logits) {
    const double largest = *std::max_element(logits.begin(), logits.end());
    double sum = 0;
    for (const float logit : logits)
        sum += std::exp(static_cast<double>(logit) - largest);
    return largest + std::log(sum);
}

} // namespace

double negative_log_likelihood(std::span<const float> logits, int32_t id) {
    return log_partition(logits) - static_cast<double>(logits[static_cast<size_t>(id)]);
}

double kl_divergence(std::span<const float> reference, std::span<const float> logits) {
    const double p_partition = log_partition(reference), q_partition = log_partition(logits);
    double sum = 0;
    for (size_t i = 0; i < reference.size(); ++i) {
        const double log_p = static_cast<double>(reference[i]) - p_partition;
        const double log_q = static_cast<double>(logits[i]) - q_partition;
        const double p = std::exp(log_p);
        if (p > 0) sum += p * (log_p - log_q);
    }
    return sum;
}

int32_t best_token(std::span<const float> logits) {
    return static_cast<int32_t>(std::max_element(logits.begin(), logits.end()) - logits.begin());
}

} // namespace ingot::tools
