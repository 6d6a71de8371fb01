// Attention as GPUs have it, lane by lane on the host, against the sums that define it.
#include <algorithm>
#include <cmath>
#include <random>
#include <utility>
#include <vector>

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "gpu/attention_step.h"

namespace ingot_gpu {
namespace {

// Sixteen bytes of anything, where loads of sixteen bytes are allowed.
template <class T>
class Aligned {
  public:
    explicit Aligned(size_t size, T value = {}) : words_((size * sizeof(T) + 15) / 16) {
        std::fill_n(data(), size, value);
    }
    T* data() { return reinterpret_cast<T*>(words_.data()); }
    T& operator[](size_t i) { return data()[i]; }

  private:
    std::vector<Words4> words_;
};

// Sequences of `lengths`, of each the last token, in pages that lie anywhere. What no kernel may read of the
// cache is no number.
template <class E, int Heads, int KvHeads, int D, int P>
class Problem {
  public:
    using Number = typename E::Number;
    static constexpr int group = Heads / KvHeads;

    explicit Problem(std::vector<int> lengths)
        : lengths_(std::move(lengths)), tokens_(int(lengths_.size())),
          pages_of_sequence_((*std::max_element(lengths_.begin(), lengths_.end()) + P - 1) / P),
          keys(size_t(pages_of_sequence_ * tokens_) * KvHeads * D * P, E::from(NAN)),
          values(size_t(pages_of_sequence_ * tokens_) * KvHeads * D * P, E::from(NAN)),
          q(lengths_.size() * Heads * D), out(q.size(), NAN), times_written_(q.size()) {
        for (int p = 0; p < pages_of_sequence_ * tokens_; ++p)
            table_.push_back(p);
        std::shuffle(table_.begin(), table_.end(), random_);
        for (f32& x : q)
            x = normal_(random_);
        for (size_t t = 0; t < lengths_.size(); ++t) {
            positions_.push_back(lengths_[t] - 1);
            seqs_.push_back(tokens_ - 1 - int(t));
        }
        for (size_t t = 0; t < lengths_.size(); ++t)
            for (int p = 0; p < (lengths_[t] + 31) / 32 * 32; ++p)
                for (int i = 0; i < KvHeads * D; ++i) {
                    keys[key(t, i / D, p, i % D)] = E::from(normal_(random_));
                    values[value(t, i / D, p, i % D)] = E::from(normal_(random_));
                }
    }

    template <class Q, int Tokens, int Splits, int Join>
    void run() {
        using Attention = AttentionStep<E, Q, Heads, KvHeads, D, P, Tokens, Splits, Join>;
        static_assert(sizeof(typename Attention::Shared) <= sizeof(Workgroup::shared));
        Aligned<u8> workspace(sizeof(typename Attention::Space));
        // Twice, because a launch leaves the workspace's counters as it wants them.
        for (int again = 0; again < 2; ++again)
            launch(KvHeads * Splits, tokens_, [&] {
                Attention::run(q.data(), keys.data(), values.data(), positions_.data(), seqs_.data(),
                               table_.data(), pages_of_sequence_, scale, workspace.data(),
                               [&](int column, bool active, f32 y) {
                                   if (!active) return;
                                   const size_t i = size_t(group_index_y()) * Heads * D + size_t(column);
                                   out[i] = y;
                                   ++times_written_[i];
                               });
            });
        for (const int n : times_written_)
            ASSERT_EQ(n, 2);
        for (int i = 0; i < counters; ++i)
            ASSERT_EQ(reinterpret_cast<u32*>(workspace.data())[i], 0u);
    }

    // How far a number is off at most.
    double worst() {
        double worst = 0;
        for (size_t t = 0; t < lengths_.size(); ++t)
            for (int h = 0; h < Heads; ++h) {
                std::vector<double> weights;
                double sum = 0;
                for (int p = 0; p < lengths_[t]; ++p) {
                    double score = 0;
                    for (int d = 0; d < D; ++d)
                        score += double(q[(t * Heads + size_t(h)) * D + size_t(d)]) *
                                 number(keys[key(t, h / group, p, d)]);
                    weights.push_back(std::exp(score * scale));
                    sum += weights.back();
                }
                for (int d = 0; d < D; ++d) {
                    double y = 0;
                    for (int p = 0; p < lengths_[t]; ++p)
                        y += weights[size_t(p)] * number(values[value(t, h / group, p, d)]);
                    const double off = std::fabs(out[(t * Heads + size_t(h)) * D + size_t(d)] - y / sum);
                    worst = off <= worst ? worst : off; // or no number
                }
            }
        return worst;
    }

    size_t key(size_t t, int h, int p, int d) const {
        return begin(t, h, p) + size_t((d / 8 * P + p % P) * 8 + d % 8);
    }
    size_t value(size_t t, int h, int p, int d) const { return begin(t, h, p) + size_t(p % P * D + d); }
    static double number(Number x) {
        if constexpr (sizeof x == 2)
            return f16_to_f32(x);
        else
            return x;
    }

  private:
    size_t begin(size_t t, int h, int p) const {
        const i32* const pages = table_.data() + seqs_[t] * pages_of_sequence_;
        return (size_t(pages[p / P]) * KvHeads + size_t(h)) * D * P;
    }

    std::mt19937 random_{7};
    std::normal_distribution<f32> normal_;
    std::vector<int> lengths_;
    int tokens_, pages_of_sequence_;
    std::vector<i32> positions_, seqs_, table_;

  public:
    const f32 scale = 1.0f / std::sqrt(f32(D));
    Aligned<Number> keys, values;
    std::vector<f32> q, out;

  private:
    std::vector<int> times_written_;
};

const std::vector<int> few{1, 40, 300, 77}, ends{1, 31, 32, 33, 64, 65, 129, 400};

// Q: element in which queries and weights are multiplied.
template <class E, class Q, int Heads, int KvHeads, int D, int P, int Tokens, int Splits, int Join = 1>
void expect_right(const std::vector<int>& lengths) {
    SCOPED_TRACE(fmt::format("{} heads of {} over {}, pages of {}, {} splits, {} joined, {} and {} bytes",
                             Heads, D, KvHeads, P, Splits, Join, sizeof(typename E::Number),
                             sizeof(typename Q::Number)));
    Problem<E, Heads, KvHeads, D, P> problem(lengths);
    problem.template run<Q, Tokens, Splits, Join>();
    EXPECT_LE(problem.worst(), sizeof(typename Q::Number) == 4 ? 5e-6 : 2e-3);
}

TEST(AttentionStep, IsRightAtTheEndsOfPagesAndParts) {
    expect_right<F16Cache, F16Cache, 8, 2, 128, 64, 8, 3>(ends);
    expect_right<F16Cache, F32Cache, 8, 2, 128, 64, 8, 1>(ends);
    expect_right<F32Cache, F32Cache, 4, 2, 64, 32, 8, 3>(ends);
    expect_right<F16Cache, F16Cache, 4, 1, 128, 64, 1, 32>({700});
}

TEST(AttentionStep, IsRightForEverySizeOfHead) {
    expect_right<F16Cache, F16Cache, 2, 2, 8, 64, 4, 2>(few);
    expect_right<F16Cache, F16Cache, 4, 2, 16, 64, 4, 2>(few);
    expect_right<F16Cache, F16Cache, 4, 2, 24, 64, 4, 2, 2>(few);
    expect_right<F16Cache, F16Cache, 6, 2, 40, 32, 4, 2>(few);
    expect_right<F16Cache, F16Cache, 4, 1, 64, 64, 4, 2>(few);
    expect_right<F16Cache, F16Cache, 4, 2, 80, 64, 4, 2>(few);
    expect_right<F16Cache, F16Cache, 2, 1, 96, 96, 4, 2>(few);
    expect_right<F16Cache, F16Cache, 4, 1, 104, 64, 4, 2>(few);
    expect_right<F16Cache, F16Cache, 2, 1, 136, 64, 4, 2>(few);
    expect_right<F16Cache, F16Cache, 4, 1, 256, 64, 4, 2>(few);
    expect_right<F16Cache, F16Cache, 1, 1, 264, 64, 4, 2>(few);
    expect_right<F16Cache, F32Cache, 4, 1, 80, 64, 4, 2>(few);
    expect_right<F16Cache, F32Cache, 2, 1, 256, 64, 4, 2>(few);
    expect_right<F32Cache, F32Cache, 2, 1, 8, 64, 4, 2>(few);
    expect_right<F32Cache, F32Cache, 4, 1, 104, 64, 4, 2>(few);
    expect_right<F32Cache, F32Cache, 2, 1, 320, 64, 4, 2>(few);
}

TEST(AttentionStep, IsRightForEveryGroup) {
    expect_right<F16Cache, F16Cache, 1, 1, 64, 64, 4, 2>(few);
    expect_right<F16Cache, F16Cache, 9, 3, 64, 64, 4, 2>(few);
    expect_right<F16Cache, F16Cache, 7, 1, 128, 64, 4, 2>(few);
    expect_right<F16Cache, F16Cache, 16, 1, 64, 64, 4, 2>(few);
    expect_right<F16Cache, F32Cache, 8, 1, 64, 64, 4, 2>(few);
}

// Weights that f16 can only just tell from zero are a quarter of the sum: 8,000 positions whose scores are 10
// below the first one's.
TEST(AttentionStep, LosesNoSmallWeights) {
    using Pages = Problem<F16Cache, 1, 1, 32, 64>;
    Pages problem({8000});
    for (int p = 0; p < 8000; ++p)
        for (int d = 0; d < 32; ++d) {
            problem.keys[problem.key(0, 0, p, d)] =
                F16Cache::from(p == 0 && d == 0 ? 10.0f / problem.scale : 0.0f);
            problem.values[problem.value(0, 0, p, d)] = F16Cache::from(p == 0 ? 0.0f : 1.0f);
        }
    std::fill(problem.q.begin(), problem.q.end(), 1.0f);
    problem.run<F16Cache, 1, 4, 1>();
    EXPECT_NEAR(problem.out[5], 8000 * std::exp(-10.0) / (1 + 8000 * std::exp(-10.0)), 1e-3);
    EXPECT_LE(problem.worst(), 1e-3);
}

} // namespace
} // namespace ingot_gpu
