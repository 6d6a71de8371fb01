// Choosing the next token from its logits.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace ingot::runtime {

// The steps, in this order: repetition penalty, top-k, top-p, min-p, temperature. Top-p and min-p look at the
// probabilities before the temperature is applied.
struct SamplerOptions {
    float temperature = 0.8f; // 0: the most probable token, always
    int top_k = 40;           // keep the k most probable (Fan et al. 2018). 0: all
    float top_p = 0.95f;      // of these the fewest that together reach p (Holtzman et al. 2020). 1: all
    float min_p = 0.05f;      // of these the ones with at least p times the best's probability. 0: all
    // Logits of tokens among the last `repetition_window` accepted ones are divided by the penalty where
    // positive, multiplied where negative (Keskar et al. 2019, "CTRL"). 1: no penalty.
    float repetition_penalty = 1.0f;
    int repetition_window = 64;
    std::uint64_t seed = 0;
};

// One sequence's choices. The same options, logits and accepted tokens give the same choices on every
// machine: random numbers are xoshiro256++ and probabilities are integers, so neither a library's
// distributions nor the rounding of its exp() matters. Allocates nothing once made.
class Sampler {
  public:
    // For logits of `vocabulary` tokens. Throws Error{invalid_argument} naming an option out of range.
    Sampler(const SamplerOptions& options, std::size_t vocabulary);

    // The next token. Of equal logits the lower id ranks first. Logits of minus infinity are never chosen.
    // Throws Error{invalid_argument} for another count of logits, or where one is NaN or plus infinity, or
    // all are minus infinity. Does not accept the token.
    std::int32_t sample(std::span<const float> logits);

    // Records a token of the sequence, of the prompt or chosen, for the penalty.
    // Throws Error{invalid_argument} for an id out of range.
    void accept(std::int32_t id);

  private:
    struct Candidate {
        float logit;
        std::int32_t id;
    };
    static bool better(const Candidate& a, const Candidate& b);

    float penalised(float logit, std::size_t id) const;
    std::int32_t best(std::span<const float> logits) const;
    void collect(std::span<const float> logits);
    void keep_top_p_and_min_p();
    std::int32_t draw();
    std::uint64_t random();
    std::uint64_t random_below(std::uint64_t bound);

    SamplerOptions options_;
    std::size_t vocabulary_;
    std::vector<Candidate> candidates_;  // at most top_k, or the whole vocabulary
    std::vector<std::uint64_t> weights_; // of candidates_, same capacity
    std::vector<std::uint16_t> recent_;  // per token: how often it is in the window
    std::vector<std::int32_t> window_;   // ring of the accepted ids
    std::size_t accepted_ = 0;
    std::array<std::uint64_t, 4> state_{};
};

} // namespace ingot::runtime
