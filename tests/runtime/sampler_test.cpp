#include "runtime/error.h"
#include "runtime/sampler.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>
#include <numeric>
#include <random>
#include <set>

#include <gtest/gtest.h>

namespace ingot::runtime {
namespace {

// Every filter off: what is tested is switched on.
constexpr SamplerOptions plain{.temperature = 1, .top_k = 0, .top_p = 1, .min_p = 0};
constexpr float infinity = std::numeric_limits<float>::infinity();

std::vector<double> softmax(const std::vector<float>& logits, double temperature = 1) {
    const double top = *std::ranges::max_element(logits);
    std::vector<double> p;
    for (const float logit : logits) {
        p.push_back(std::exp((logit - top) / temperature));
    }
    const double total = std::accumulate(p.begin(), p.end(), 0.0);
    for (double& value : p) {
        value /= total;
    }
    return p;
}

std::vector<int> counts(Sampler& sampler, const std::vector<float>& logits, int draws) {
    std::vector<int> result(logits.size());
    for (int i = 0; i < draws; ++i) {
        ++result[static_cast<std::size_t>(sampler.sample(logits))];
    }
    return result;
}

std::set<std::int32_t> support(const SamplerOptions& options, const std::vector<float>& logits) {
    Sampler sampler(options, logits.size());
    std::set<std::int32_t> ids;
    for (int i = 0; i < 4000; ++i) {
        ids.insert(sampler.sample(logits));
    }
    return ids;
}

double chi_square(const std::vector<int>& seen, const std::vector<double>& p) {
    const double draws = std::accumulate(seen.begin(), seen.end(), 0.0);
    double sum = 0;
    for (std::size_t i = 0; i < p.size(); ++i) {
        const double expected = p[i] * draws;
        sum += (seen[i] - expected) * (seen[i] - expected) / expected;
    }
    return sum;
}

std::vector<float> logits_of(const std::vector<double>& probabilities) {
    std::vector<float> logits;
    for (const double p : probabilities) {
        logits.push_back(static_cast<float>(std::log(p)));
    }
    return logits;
}

TEST(Sampler, TemperatureZeroTakesTheBestAndTheLowestIdOfEquals) {
    Sampler sampler({.temperature = 0}, 5);
    EXPECT_EQ(sampler.sample(std::vector<float>{1, 3, 2, 3, -1}), 1);
    EXPECT_EQ(sampler.sample(std::vector<float>{-5, -5, -5, -5, -5}), 0);
    EXPECT_EQ(sampler.sample(std::vector<float>{-infinity, -infinity, -2, -infinity, -3}), 2);
}

// 16 classes have 15 degrees of freedom; chi-square exceeds 56.5 once in a million. The seed is fixed, so the
// test gives the same answer for ever.
TEST(Sampler, DrawsFollowTheSoftmax) {
    std::vector<float> logits;
    for (int i = 0; i < 16; ++i) {
        logits.push_back(static_cast<float>(i % 5) * 0.7f - static_cast<float>(i) * 0.11f);
    }
    for (const float temperature : {0.5f, 1.0f, 2.0f}) {
        SamplerOptions options = plain;
        options.temperature = temperature;
        options.seed = 42;
        Sampler sampler(options, logits.size());
        EXPECT_LT(chi_square(counts(sampler, logits, 200000), softmax(logits, temperature)), 56.5)
            << "temperature " << temperature;
    }
}

// The tolerance is tight enough to see a wrong distribution.
TEST(Sampler, TheStatisticSeesAWrongTemperature) {
    const std::vector<float> logits{0, 0.5f, 1, 1.5f};
    Sampler sampler(plain, logits.size());
    EXPECT_GT(chi_square(counts(sampler, logits, 200000), softmax(logits, 1.05)), 56.5);
}

TEST(Sampler, TopKKeepsExactlyTheBestAndTheLowerIdsOfEquals) {
    SamplerOptions options = plain;
    options.top_k = 3;
    EXPECT_EQ(support(options, {0, 2, 1, 2, 1, 1}), (std::set<std::int32_t>{1, 2, 3}));
    options.top_k = 1;
    EXPECT_EQ(support(options, {0, 2, 1, 2, 1, 1}), (std::set<std::int32_t>{1}));
    options.top_k = 100;
    EXPECT_EQ(support(options, {0, 2, 1, 2, 1, 1}).size(), 6u);
}

TEST(Sampler, TopKMatchesASortOnRandomLogits) {
    const auto seed = std::random_device{}();
    SCOPED_TRACE(testing::Message() << "seed " << seed);
    std::mt19937 random(seed);
    for (int round = 0; round < 20; ++round) {
        std::vector<float> logits(200);
        for (float& logit : logits) {
            logit = static_cast<float>(random() % 50) * 0.01f; // many equal ones
        }
        const std::size_t k = 1 + random() % 12;
        std::vector<std::int32_t> order(logits.size());
        std::iota(order.begin(), order.end(), 0);
        std::ranges::stable_sort(order, std::greater{},
                                 [&](std::int32_t id) { return logits[static_cast<std::size_t>(id)]; });
        SamplerOptions options = plain;
        options.top_k = static_cast<int>(k);
        EXPECT_EQ(support(options, logits),
                  std::set<std::int32_t>(order.begin(), order.begin() + static_cast<std::ptrdiff_t>(k)));
    }
}

TEST(Sampler, TopPKeepsTheFewestThatReachP) {
    const auto logits = logits_of({0.1, 0.4, 0.2, 0.25, 0.05});
    SamplerOptions options = plain;
    const auto kept = [&](float p) {
        options.top_p = p;
        return support(options, logits);
    };
    EXPECT_EQ(kept(0.0f), (std::set<std::int32_t>{1}));
    EXPECT_EQ(kept(0.39f), (std::set<std::int32_t>{1}));
    EXPECT_EQ(kept(0.41f), (std::set<std::int32_t>{1, 3}));
    EXPECT_EQ(kept(0.66f), (std::set<std::int32_t>{1, 2, 3}));
    EXPECT_EQ(kept(0.94f), (std::set<std::int32_t>{0, 1, 2, 3}));
    EXPECT_EQ(kept(0.96f).size(), 5u);
}

TEST(Sampler, MinPKeepsWhatIsNearTheBest) {
    const auto logits = logits_of({0.1, 0.4, 0.2, 0.25, 0.05});
    SamplerOptions options = plain;
    options.min_p = 0.49f;
    EXPECT_EQ(support(options, logits), (std::set<std::int32_t>{1, 2, 3}));
    options.min_p = 0.51f;
    EXPECT_EQ(support(options, logits), (std::set<std::int32_t>{1, 3}));
    options.min_p = 1.0f;
    EXPECT_EQ(support(options, logits), (std::set<std::int32_t>{1}));
}

// The filters look at the probabilities before the temperature, so a high one doesn't let more through.
TEST(Sampler, FiltersComeBeforeTheTemperature) {
    const auto logits = logits_of({0.1, 0.4, 0.2, 0.25, 0.05});
    SamplerOptions options = plain;
    options.temperature = 10;
    options.top_p = 0.66f;
    EXPECT_EQ(support(options, logits), (std::set<std::int32_t>{1, 2, 3}));
    options.min_p = 0.51f;
    EXPECT_EQ(support(options, logits), (std::set<std::int32_t>{1, 3}));
}

// The kept ones keep their odds.
TEST(Sampler, FilteredDrawsFollowTheRenormalisedSoftmax) {
    const auto logits = logits_of({0.1, 0.4, 0.2, 0.25, 0.05});
    SamplerOptions options = plain;
    options.top_k = 3;
    Sampler sampler(options, logits.size());
    const auto seen = counts(sampler, logits, 100000);
    EXPECT_EQ(seen[0] + seen[4], 0);
    const std::vector<int> kept{seen[1], seen[2], seen[3]};
    EXPECT_LT(chi_square(kept, {0.4 / 0.85, 0.2 / 0.85, 0.25 / 0.85}), 27.6); // 2 degrees, one in a million
}

// A whole vocabulary through top-p: the shortcut that leaves the tail out of the sort must not show.
TEST(Sampler, TopPOverManyTokensKeepsTheExactNucleus) {
    std::vector<float> logits(50000);
    for (std::size_t i = 0; i < logits.size(); ++i) {
        logits[i] = -0.01f * static_cast<float>((i * 7919) % logits.size());
    }
    const auto p = softmax(logits);
    std::vector<std::size_t> order(p.size());
    std::iota(order.begin(), order.end(), std::size_t{0});
    std::ranges::sort(order, std::greater{}, [&](std::size_t i) { return p[i]; });
    double sum = 0;
    std::set<std::int32_t> nucleus;
    for (std::size_t i = 0; sum < 0.9; ++i) {
        sum += p[order[i]];
        nucleus.insert(static_cast<std::int32_t>(order[i]));
    }
    SamplerOptions options = plain;
    options.top_p = 0.9f;
    Sampler sampler(options, logits.size());
    std::set<std::int32_t> seen;
    for (int i = 0; i < 3000; ++i) {
        seen.insert(sampler.sample(logits));
    }
    EXPECT_TRUE(std::ranges::includes(nucleus, seen));
    EXPECT_GT(seen.size(), nucleus.size() * 9 / 10);
}

TEST(Sampler, ThePenaltyLowersRecentTokensAndForgetsThem) {
    Sampler sampler({.temperature = 0, .repetition_penalty = 2, .repetition_window = 2}, 4);
    const std::vector<float> logits{4, 3, -1, -1.5f};
    EXPECT_EQ(sampler.sample(logits), 0);
    sampler.accept(0);
    EXPECT_EQ(sampler.sample(logits), 1); // 4 / 2 < 3
    sampler.accept(1);
    EXPECT_EQ(sampler.sample(logits), 0); // 2 > 1.5
    sampler.accept(2);                    // 0 leaves the window
    EXPECT_EQ(sampler.sample(logits), 0);
    const std::vector<float> negative{-9, -9, -1, -1.5f};
    EXPECT_EQ(sampler.sample(negative), 3); // -1 * 2 < -1.5
    sampler.accept(2);
    sampler.accept(3); // 2 is still there once
    sampler.accept(3);
    EXPECT_EQ(sampler.sample(negative), 2); // -1 > -3
}

// The numbers that the algorithms, not the machine, determine. They were computed apart from this program, by
// splitmix64 seeding xoshiro256++ and taking bits 44 to 46 of each number.
TEST(Sampler, ChoicesAreTheSameEverywhere) {
    Sampler sampler({.temperature = 1, .top_k = 0, .top_p = 1, .min_p = 0, .seed = 7}, 8);
    std::vector<std::int32_t> ids;
    for (int i = 0; i < 12; ++i) {
        ids.push_back(sampler.sample(std::vector<float>(8, 0.25f)));
    }
    EXPECT_EQ(ids, (std::vector<std::int32_t>{1, 4, 1, 1, 6, 5, 7, 5, 7, 3, 6, 1}));
}

TEST(Sampler, TheSeedDecides) {
    const std::vector<float> logits(100, 0.0f);
    const auto run = [&](std::uint64_t seed) {
        SamplerOptions options = plain;
        options.seed = seed;
        Sampler sampler(options, logits.size());
        std::vector<std::int32_t> ids;
        for (int i = 0; i < 50; ++i) {
            ids.push_back(sampler.sample(logits));
        }
        return ids;
    };
    EXPECT_EQ(run(1), run(1));
    EXPECT_NE(run(1), run(2));
}

TEST(Sampler, RefusesLogitsThatAreNoNumbers) {
    for (const float temperature : {0.0f, 1.0f}) {
        Sampler sampler({.temperature = temperature}, 3);
        const auto sample = [&](std::vector<float> logits) { return sampler.sample(logits); };
        EXPECT_THROW(sample({1, std::nanf(""), 2}), Error);
        EXPECT_THROW(sample({std::nanf(""), 0, 2}), Error);
        EXPECT_THROW(sample({1, infinity, 2}), Error);
        EXPECT_THROW(sample({-infinity, -infinity, -infinity}), Error);
        EXPECT_THROW(sample({1, 2}), Error);
        EXPECT_EQ(sample({-infinity, -infinity, -7}), 2);
        EXPECT_THROW(sampler.accept(3), Error);
        EXPECT_THROW(sampler.accept(-1), Error);
    }
}

TEST(Sampler, RefusesOptionsOutOfRange) {
    const auto make = [](SamplerOptions options, std::size_t vocabulary = 10) {
        Sampler(options, vocabulary);
    };
    EXPECT_NO_THROW(make({}));
    EXPECT_THROW(make({.temperature = -1}), Error);
    EXPECT_THROW(make({.temperature = std::nanf("")}), Error);
    EXPECT_THROW(make({.temperature = infinity}), Error);
    EXPECT_THROW(make({.top_k = -1}), Error);
    EXPECT_THROW(make({.top_p = 1.5f}), Error);
    EXPECT_THROW(make({.top_p = std::nanf("")}), Error);
    EXPECT_THROW(make({.min_p = -0.1f}), Error);
    EXPECT_THROW(make({.repetition_penalty = 0}), Error);
    EXPECT_THROW(make({.repetition_penalty = std::nanf("")}), Error);
    EXPECT_THROW(make({.repetition_window = -1}), Error);
    EXPECT_THROW(make({.repetition_window = 1 << 20}), Error);
    EXPECT_THROW(make({}, 0), Error);
}

TEST(Sampler, ExtremeLogitsAndTemperaturesStillGiveATokenOfTheBest) {
    const float largest = std::numeric_limits<float>::max();
    for (const float temperature : {std::numeric_limits<float>::denorm_min(), 1e-30f, 1.0f, largest}) {
        SamplerOptions options = plain;
        options.temperature = temperature;
        options.repetition_penalty = 1e-20f;
        Sampler sampler(options, 3);
        sampler.accept(1);
        EXPECT_NO_THROW(sampler.sample(std::vector<float>{-largest, largest, largest}));
        EXPECT_NO_THROW(sampler.sample(std::vector<float>{-largest, -largest, -infinity}));
    }
}

} // namespace
} // namespace ingot::runtime
