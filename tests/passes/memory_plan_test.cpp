// The planner as its callers see it: cheap orders, then the exact search, within the limits.
#include <chrono>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "ir/error.h"
#include "passes/memory/check.h"
#include "passes/memory/greedy.h"
#include "passes/memory/plan.h"
#include "tests/passes/memory_problems.h"

namespace ingot::passes::memory::test {
namespace {

using testing::HasSubstr;

Placement checked_plan(const Problem& problem, double seconds = 60) {
    Placement placement = plan(problem, seconds);
    check_placement(problem, placement);
    EXPECT_GE(placement.peak, lower_bound(problem));
    return placement;
}

std::string fault(const Problem& problem) {
    try {
        plan(problem, 1);
    } catch (const ir::Error& e) {
        return e.what();
    }
    return "";
}

TEST(MemoryPlan, FewBuffers) {
    EXPECT_EQ(checked_plan({}).peak, 0U);
    EXPECT_EQ(checked_plan({{{.size = 7, .lower = 3, .upper = 4, .alignment = 256}}}).peak, 7U);
    EXPECT_EQ(checked_plan({{{.size = 7, .lower = 0, .upper = 4}, {.size = 5, .lower = 4, .upper = 9}}}).peak,
              7U);
    EXPECT_EQ(checked_plan({{{.size = 7, .lower = 0, .upper = 5}, {.size = 5, .lower = 4, .upper = 9}}}).peak,
              12U);
    // No bytes, or no time.
    EXPECT_EQ(checked_plan({{{.size = 0, .lower = 0, .upper = 5}, {.size = 5, .lower = 4, .upper = 4}}}).peak,
              0U);
    EXPECT_EQ(checked_plan({{{.size = 0, .lower = 0, .upper = 5}, {.size = 5, .lower = 1, .upper = 2}}}).peak,
              5U);
}

TEST(MemoryPlan, TimeAtBothEndsOfItsRange) {
    const Problem problem = {{{.size = 2, .lower = INT64_MIN, .upper = INT64_MAX},
                              {.size = 3, .lower = INT64_MIN, .upper = INT64_MIN + 1},
                              {.size = 3, .lower = INT64_MAX - 1, .upper = INT64_MAX}}};
    EXPECT_EQ(checked_plan(problem).peak, 5U);
    EXPECT_EQ(plan_within(problem, 5, 60).end, SearchEnd::found);
}

TEST(MemoryPlan, RefusesWhatIsNotSound) {
    EXPECT_THAT(fault({{{.size = 1, .lower = 0, .upper = 1}, {.size = 1, .lower = 1, .upper = 0}}}),
                HasSubstr("buffer 1: its life [1, 0) ends before it begins"));
    EXPECT_THAT(fault({{{.size = 1, .lower = 0, .upper = 1, .alignment = 0}}}),
                HasSubstr("buffer 0: alignment 0"));
}

TEST(MemoryPlan, SizesNear63Bits) {
    constexpr uint64_t half = uint64_t{1} << 62;
    const Problem full = {{{.size = half, .lower = 0, .upper = 2}, {.size = half, .lower = 1, .upper = 3}}};
    EXPECT_EQ(checked_plan(full).peak, 2 * half);
    EXPECT_EQ(plan_within(full, UINT64_MAX, 60).end, SearchEnd::found);
    EXPECT_EQ(plan_within(full, 2 * half - 1, 60).end, SearchEnd::impossible);
    const Problem over = {
        {{.size = half, .lower = 0, .upper = 2}, {.size = half + 1, .lower = 1, .upper = 3}}};
    EXPECT_THAT(fault(over), HasSubstr("add up to more than 2^63 bytes"));
    EXPECT_THAT(fault({{{.size = UINT64_MAX, .lower = 0, .upper = 1}}}), HasSubstr("more than 2^63"));
    // Aligned to more than anything else takes; and where alignment alone goes over 2^63.
    const Problem aligned = {{{.size = 3, .lower = 0, .upper = 2, .alignment = half},
                              {.size = 5, .lower = 0, .upper = 2, .alignment = 2 * half - 1}}};
    EXPECT_EQ(checked_plan(aligned).peak, half + 3);
    const Problem apart = {{{.size = 3, .lower = 0, .upper = 2, .alignment = UINT64_MAX},
                            {.size = 5, .lower = 0, .upper = 2, .alignment = UINT64_MAX}}};
    EXPECT_THAT(fault(apart),
                HasSubstr("no placement below 2^63 bytes is found; the buffers need 8 at least"));
}

TEST(MemoryPlan, BoundIsTheLargestLiveSum) {
    std::mt19937 random(1);
    for (int n = 0; n < 200; ++n) {
        const Problem problem = random_problem(20, {.times = 12, .most_size = 100}, random);
        uint64_t most = 0;
        for (int64_t t = 0; t < 12; ++t) {
            uint64_t live = 0;
            for (const Buffer& b : problem.buffers)
                if (b.lower <= t && t < b.upper) live += b.size;
            most = std::max(most, live);
        }
        EXPECT_EQ(lower_bound(problem), most);
    }
}

TEST(MemoryPlan, EveryCheapOrderIsRight) {
    std::mt19937 random(2);
    for (int n = 0; n < 200; ++n) {
        const Problem problem =
            random_problem(40, {.times = 20, .most_size = 50, .alignments = {1, 4, 16}}, random);
        for (const auto order : {GreedyOrder::size, GreedyOrder::area, GreedyOrder::life})
            for (const auto fit : {GreedyFit::lowest, GreedyFit::best}) {
                const auto placement = place_greedily(problem, order, fit, Deadline::never());
                ASSERT_TRUE(placement);
                check_placement(problem, *placement);
            }
    }
}

// The exact search must be what closes the gap.
TEST(MemoryPlan, ReachesTheBoundWhereCheapOrdersMissIt) {
    std::mt19937 random(3);
    int missed = 0;
    for (int n = 0; n < 20; ++n) {
        const Problem problem = perfect_problem(60, 40, 1 << 20, random);
        ASSERT_EQ(lower_bound(problem), 1U << 20);
        missed += place_greedily(problem, 1 << 20, Deadline::never())->peak > 1 << 20 ? 1 : 0;
        EXPECT_EQ(checked_plan(problem).peak, 1U << 20) << n;
    }
    EXPECT_GE(missed, 18); // or the test shows nothing
}

// Where the bound itself can't be reached, the least that can be is.
TEST(MemoryPlan, OptimumAboveTheBound) {
    std::mt19937 random(4);
    int above = 0;
    for (int n = 0; n < 300; ++n) {
        const Problem problem =
            random_problem(7, {.times = 5, .most_size = 20, .alignments = {1, 4, 8}}, random);
        const uint64_t best = best_peak(problem);
        EXPECT_EQ(checked_plan(problem).peak, best) << n;
        above += best > lower_bound(problem) ? 1 : 0;
    }
    EXPECT_GE(above, 30);
}

TEST(MemoryPlan, OffsetsAreAligned) {
    std::mt19937 random(5);
    Problem problem = perfect_problem(40, 24, 1 << 10, random);
    for (Buffer& b : problem.buffers) {
        b.size *= 256;
        b.alignment = 256;
    }
    EXPECT_EQ(checked_plan(problem).peak, 256U << 10);
    for (Buffer& b : problem.buffers)
        b.size -= b.size % 3; // sizes that leave gaps
    checked_plan(problem);
}

TEST(MemoryPlan, SameProblemSamePlacement) {
    std::mt19937 random(6);
    const Problem problem = random_problem(60, {.times = 30, .most_size = 1000}, random);
    const Placement first = plan(problem, 60), second = plan(problem, 60);
    EXPECT_EQ(first.offsets, second.offsets);
    const Problem perfect = perfect_problem(50, 30, 4096, random);
    const PlanResult one = plan_within(perfect, 4096, 60), two = plan_within(perfect, 4096, 60);
    ASSERT_EQ(one.end, SearchEnd::found);
    EXPECT_EQ(one.placement.offsets, two.placement.offsets);
    EXPECT_EQ(one.steps, two.steps);
}

TEST(MemoryPlan, WithinSaysWhyNot) {
    const Problem chain = {{{.size = 4, .lower = 0, .upper = 2},
                            {.size = 4, .lower = 1, .upper = 4},
                            {.size = 4, .lower = 3, .upper = 6},
                            {.size = 4, .lower = 5, .upper = 8}}};
    EXPECT_EQ(plan_within(chain, 8, 60).end, SearchEnd::found);
    EXPECT_EQ(plan_within(chain, 7, 60).end, SearchEnd::impossible);
    EXPECT_EQ(plan_within(chain, 7, 60).bound, 8U);
    EXPECT_EQ(plan_within(chain, 0, 60).end, SearchEnd::impossible);
    EXPECT_EQ(plan_within({}, 0, 60).end, SearchEnd::found);
}

double seconds_since(std::chrono::steady_clock::time_point start) {
    return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

TEST(MemoryPlan, EndsInTime) {
    // A packing without a gap of this size is out of reach.
    std::mt19937 random(7);
    const Problem hard = perfect_problem(1000, 500, 1 << 20, random);
    auto start = std::chrono::steady_clock::now();
    const PlanResult result = plan_within(hard, 1 << 20, 0.3);
    EXPECT_EQ(result.end, SearchEnd::limit);
    EXPECT_LT(seconds_since(start), 3);
    start = std::chrono::steady_clock::now();
    checked_plan(hard, 0.3);
    EXPECT_LT(seconds_since(start), 3);
    EXPECT_EQ(plan_within(hard, 1 << 20, 0).end, SearchEnd::limit);

    // Far too many for any order.
    const Problem many = random_problem(300'000, {.times = 1000, .most_size = 1000}, random);
    start = std::chrono::steady_clock::now();
    EXPECT_EQ(plan_within(many, lower_bound(many), 0.3).end, SearchEnd::limit);
    EXPECT_LT(seconds_since(start), 10);
}

} // namespace
} // namespace ingot::passes::memory::test
