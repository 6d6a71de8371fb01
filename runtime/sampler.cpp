#include "runtime/sampler.h"

#include "runtime/error.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <limits>
#include <string>

#include <fmt/format.h>

namespace ingot::runtime {
namespace {

// A probability is a multiple of 2^-44 of the best token's. Sums of 2^19 of them fit 64 bits.
constexpr int weight_bits = 44;
constexpr std::size_t most_vocabulary = std::size_t{1} << 19;
constexpr int most_window = 65535; // the counts are 16 bits wide

[[noreturn]] void fail(const std::string& message) {
    throw Error(Code::invalid_argument, "sampler", message);
}

// 2^-fraction * 2^30 for a fraction given in 2^-30. The Taylor series of 2^-(1/2) * e^u with
// u = (1/2 - fraction) ln 2, so |u| <= 0.347 and nine terms leave less than 2^-31. In integers, because
// compilers may contract a floating-point Horner step into one rounding or not.
std::int64_t exp2_negative_fraction(std::int64_t fraction) {
    constexpr int bits = 30;
    constexpr std::int64_t one = std::int64_t{1} << bits;
    constexpr std::int64_t ln2 = 744261118;       // ln 2 * 2^30
    constexpr std::int64_t root_half = 759250125; // 2^-0.5 * 2^30
    const std::int64_t u = ((one / 2 - fraction) * ln2) / one;
    std::int64_t sum = one;
    for (int n = 9; n > 0; --n) {
        sum = one + (sum * u) / (one * n);
    }
    return (sum * root_half) / one;
}

// e^-distance as a weight; `distance` is at least 0. Everything but the integer steps above is a single
// floating-point operation, which rounds the same way everywhere.
std::uint64_t weight_at(double distance) {
    constexpr double per_unit = 1.4426950408889634 * 1073741824.0; // log2(e) * 2^30
    const double exponent = distance * per_unit;
    if (!(exponent < (weight_bits + 1) * 1073741824.0)) return 0;
    const auto scaled = static_cast<std::int64_t>(exponent);
    const std::int64_t fraction = scaled & ((std::int64_t{1} << 30) - 1);
    const auto mantissa = static_cast<std::uint64_t>(exp2_negative_fraction(fraction));
    return (mantissa << (weight_bits - 30)) >> (scaled >> 30);
}

std::uint64_t splitmix(std::uint64_t& state) {
    state += 0x9E3779B97F4A7C15u;
    std::uint64_t z = state;
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9u;
    z = (z ^ (z >> 27)) * 0x94D049BB133111EBu;
    return z ^ (z >> 31);
}

void check(const SamplerOptions& o, std::size_t vocabulary) {
    const auto within = [](float value, float low, float high) { return value >= low && value <= high; };
    constexpr float largest = std::numeric_limits<float>::max();
    if (vocabulary == 0 || vocabulary > most_vocabulary) fail(fmt::format("{} tokens", vocabulary));
    if (!within(o.temperature, 0, largest)) fail(fmt::format("the temperature is {}", o.temperature));
    if (o.top_k < 0) fail(fmt::format("top-k is {}", o.top_k));
    if (!within(o.top_p, 0, 1)) fail(fmt::format("top-p is {}, not within 0 and 1", o.top_p));
    if (!within(o.min_p, 0, 1)) fail(fmt::format("min-p is {}, not within 0 and 1", o.min_p));
    if (!(o.repetition_penalty > 0) || !within(o.repetition_penalty, 0, largest)) {
        fail(fmt::format("the repetition penalty is {}", o.repetition_penalty));
    }
    if (o.repetition_window < 0 || o.repetition_window > most_window) {
        fail(fmt::format("the repetition window is {}, not within 0 and {}", o.repetition_window,
                         most_window));
    }
}

} // namespace

Sampler::Sampler(const SamplerOptions& options, std::size_t vocabulary)
    : options_(options), vocabulary_(vocabulary) {
    check(options, vocabulary);
    const auto top_k = static_cast<std::size_t>(options.top_k);
    const std::size_t most = top_k == 0 ? vocabulary : std::min(top_k, vocabulary);
    if (options.temperature > 0) {
        candidates_.reserve(most);
        weights_.resize(most);
    }
    if (options.repetition_penalty != 1.0f) {
        recent_.resize(vocabulary);
        window_.resize(static_cast<std::size_t>(options.repetition_window));
    }
    std::uint64_t seed = options.seed;
    for (std::uint64_t& word : state_) {
        word = splitmix(seed);
    }
}

void Sampler::accept(std::int32_t id) {
    if (id < 0 || static_cast<std::size_t>(id) >= vocabulary_) {
        fail(fmt::format("token {} is out of range: the vocabulary has {} tokens", id, vocabulary_));
    }
    if (window_.empty()) return;
    std::int32_t& place = window_[accepted_ % window_.size()];
    if (accepted_ >= window_.size()) --recent_[static_cast<std::size_t>(place)];
    place = id;
    ++recent_[static_cast<std::size_t>(id)];
    ++accepted_;
}

std::int32_t Sampler::sample(std::span<const float> logits) {
    if (logits.size() != vocabulary_) {
        fail(fmt::format("{} logits for {} tokens", logits.size(), vocabulary_));
    }
    for (std::size_t id = 0; id < logits.size(); ++id) {
        // One comparison that is false for NaN too.
        if (!(logits[id] < std::numeric_limits<float>::infinity())) {
            fail(fmt::format("the logit of token {} is {}", id, logits[id]));
        }
    }
    if (options_.temperature == 0) return best(logits);
    collect(logits);
    keep_top_p_and_min_p();
    return draw();
}

bool Sampler::better(const Candidate& a, const Candidate& b) {
    return a.logit > b.logit || (a.logit == b.logit && a.id < b.id);
}

float Sampler::penalised(float logit, std::size_t id) const {
    if (recent_.empty() || recent_[id] == 0) return logit;
    if (logit == -std::numeric_limits<float>::infinity()) return logit;
    const float penalty = options_.repetition_penalty;
    const float result = logit > 0 ? logit / penalty : logit * penalty;
    // A finite logit stays finite, so that a penalty never forbids a token.
    constexpr float largest = std::numeric_limits<float>::max();
    return std::clamp(result, -largest, largest);
}

std::int32_t Sampler::best(std::span<const float> logits) const {
    Candidate top{.logit = -std::numeric_limits<float>::infinity(), .id = -1};
    for (std::size_t id = 0; id < logits.size(); ++id) {
        const float logit = penalised(logits[id], id);
        if (logit > top.logit) top = {.logit = logit, .id = static_cast<std::int32_t>(id)};
    }
    if (top.id < 0) fail("every logit is minus infinity");
    return top.id;
}

// Leaves the top-k candidates in candidates_, as a heap whose front is the worst where k cuts any off.
void Sampler::collect(std::span<const float> logits) {
    const std::size_t most = weights_.size();
    candidates_.clear();
    for (std::size_t id = 0; id < logits.size(); ++id) {
        const Candidate next{.logit = penalised(logits[id], id), .id = static_cast<std::int32_t>(id)};
        if (next.logit == -std::numeric_limits<float>::infinity()) continue;
        if (candidates_.size() < most) {
            candidates_.push_back(next);
            if (candidates_.size() == most && most < vocabulary_) std::ranges::make_heap(candidates_, better);
        } else if (better(next, candidates_.front())) {
            std::ranges::pop_heap(candidates_, better);
            candidates_.back() = next;
            std::ranges::push_heap(candidates_, better);
        }
    }
    if (candidates_.empty()) fail("every logit is minus infinity");
}

// Leaves the candidates that both filters keep, at least one, the best in front. Each filter keeps a prefix
// of the candidates in the order of their probabilities, so what is kept is the shorter prefix.
void Sampler::keep_top_p_and_min_p() {
    std::ranges::swap(candidates_.front(), *std::ranges::min_element(candidates_, better));
    const bool nucleus = options_.top_p < 1.0f;
    if (!nucleus && options_.min_p <= 0.0f) return;
    const double top = candidates_.front().logit;
    const auto weight_of = [top](const Candidate& c) { return weight_at(top - c.logit); };
    std::uint64_t total = 0;
    for (const Candidate& candidate : candidates_) {
        total += weight_of(candidate);
    }
    const double min_p = options_.min_p;
    const double top_p = options_.top_p;
    // Of the best token's own weight, so that min-p 1 keeps it whatever the rounding.
    const std::uint64_t best = weight_at(0);
    const auto least =
        std::min(best, static_cast<std::uint64_t>(std::ceil(min_p * static_cast<double>(best))));
    const auto enough = static_cast<std::uint64_t>(std::ceil(top_p * static_cast<double>(total)));
    // Sorting a whole vocabulary costs milliseconds, and most of it is a tail that neither filter can keep:
    // n candidates of less than (1 - p) * total / n each can't be needed to reach p. Half of that, for the
    // rounding of `enough`.
    std::uint64_t tail = least;
    if (nucleus) tail = std::max(tail, (total - std::min(enough, total)) / (2 * candidates_.size()));
    std::erase_if(candidates_, [&](const Candidate& c) { return weight_of(c) < tail; });
    std::ranges::sort(candidates_, better);
    std::uint64_t sum = 0;
    std::size_t count = 0;
    while (count < candidates_.size() && (count == 0 || !nucleus || sum < enough)) {
        sum += weight_of(candidates_[count++]);
    }
    candidates_.resize(count);
}

std::int32_t Sampler::draw() {
    const double top = candidates_.front().logit;
    std::uint64_t total = 0;
    for (std::size_t i = 0; i < candidates_.size(); ++i) {
        weights_[i] = weight_at((top - candidates_[i].logit) / options_.temperature);
        total += weights_[i];
    }
    std::uint64_t point = random_below(total);
    std::size_t i = 0;
    while (point >= weights_[i]) {
        point -= weights_[i++];
    }
    return candidates_[i].id;
}

// xoshiro256++ (Blackman and Vigna 2021, "Scrambled Linear Pseudorandom Number Generators").
std::uint64_t Sampler::random() {
    const std::uint64_t result = std::rotl(state_[0] + state_[3], 23) + state_[0];
    const std::uint64_t shifted = state_[1] << 17;
    state_[2] ^= state_[0];
    state_[3] ^= state_[1];
    state_[1] ^= state_[2];
    state_[0] ^= state_[3];
    state_[2] ^= shifted;
    state_[3] = std::rotl(state_[3], 45);
    return result;
}

// Uniform in [0, bound): values of the last, incomplete run of `bound` are thrown away.
std::uint64_t Sampler::random_below(std::uint64_t bound) {
    const std::uint64_t incomplete = (0 - bound) % bound;
    std::uint64_t value = random();
    while (value < incomplete) {
        value = random();
    }
    return value % bound;
}

} // namespace ingot::runtime
