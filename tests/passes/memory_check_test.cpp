// The checker must find every fault that a planner could make.
#include <stdexcept>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "passes/memory/check.h"
#include "passes/memory/greedy.h"
#include "tests/passes/memory_problems.h"

namespace ingot::passes::memory::test {
namespace {

using testing::HasSubstr;

// "" where the placement is right.
std::string fault(const Problem& problem, const Placement& placement) {
    try {
        check_placement(problem, placement);
    } catch (const std::logic_error& e) {
        return e.what();
    }
    return "";
}

const Problem three = {{{.size = 8, .lower = 0, .upper = 4, .alignment = 4},
                        {.size = 4, .lower = 2, .upper = 6, .alignment = 4},
                        {.size = 8, .lower = 4, .upper = 8, .alignment = 4}}};

TEST(MemoryCheck, AcceptsWhatIsRight) {
    EXPECT_EQ(fault(three, {.offsets = {0, 8, 0}, .peak = 12}), "");
    EXPECT_EQ(fault(three, {.offsets = {4, 0, 4}, .peak = 12}), "");
    EXPECT_EQ(fault(three, {.offsets = {100, 0, 48}, .peak = 108}), ""); // wasteful is not wrong
    EXPECT_EQ(fault({}, {}), "");
}

TEST(MemoryCheck, FindsOverlaps) {
    EXPECT_THAT(fault(three, {.offsets = {0, 4, 8}, .peak = 16}),
                HasSubstr("buffers 0 and 1 overlap at time 2: [0, 8) and [4, 8)"));
    EXPECT_THAT(fault(three, {.offsets = {0, 8, 4}, .peak = 12}),
                HasSubstr("buffers 1 and 2 overlap at time 4"));
    EXPECT_THAT(fault(three, {.offsets = {8, 8, 0}, .peak = 16}), HasSubstr("overlap"));  // equal offsets
    EXPECT_THAT(fault(three, {.offsets = {0, 12, 8}, .peak = 16}), HasSubstr("overlap")); // from below
    // Inside of a larger one; around a smaller one.
    const Problem nested = {{{.size = 16, .lower = 0, .upper = 2}, {.size = 2, .lower = 1, .upper = 3}}};
    EXPECT_THAT(fault(nested, {.offsets = {0, 6}, .peak = 16}), HasSubstr("overlap"));
    const Problem around = {{{.size = 2, .lower = 0, .upper = 2}, {.size = 16, .lower = 1, .upper = 3}}};
    EXPECT_THAT(fault(around, {.offsets = {6, 0}, .peak = 16}), HasSubstr("overlap"));
}

TEST(MemoryCheck, FindsWrongOffsetsPeaksAndCounts) {
    EXPECT_THAT(fault(three, {.offsets = {0, 10, 0}, .peak = 14}),
                HasSubstr("buffer 1 at offset 10 is not aligned"));
    EXPECT_THAT(fault(three, {.offsets = {0, 8, 0}, .peak = 13}),
                HasSubstr("the peak is 12, where 13 is claimed"));
    EXPECT_THAT(fault(three, {.offsets = {0, 8, 0}, .peak = 8}), HasSubstr("the peak is 12"));
    EXPECT_THAT(fault(three, {.offsets = {0, 8}, .peak = 12}), HasSubstr("2 offsets for 3 buffers"));
    EXPECT_THAT(fault(three, {.offsets = {0, 8, 0, 0}, .peak = 12}), HasSubstr("4 offsets for 3 buffers"));
    const Problem huge = {{{.size = 16, .lower = 0, .upper = 1}}};
    EXPECT_THAT(fault(huge, {.offsets = {UINT64_MAX - 8}, .peak = 7}), HasSubstr("ends beyond 2^64 - 1"));
    EXPECT_THAT(fault({{{.size = 1, .lower = 1, .upper = 0}}}, {.offsets = {0}, .peak = 1}),
                HasSubstr("ends before"));
    EXPECT_THAT(fault({{{.size = 1, .lower = 0, .upper = 1, .alignment = 0}}}, {.offsets = {0}, .peak = 1}),
                HasSubstr("aligned to 0"));
}

TEST(MemoryCheck, BuffersThatTakeNothingAreInNobodysWay) {
    const Problem problem = {{{.size = 8, .lower = 0, .upper = 4},
                              {.size = 0, .lower = 0, .upper = 4},
                              {.size = 8, .lower = 2, .upper = 2}}};
    EXPECT_EQ(fault(problem, {.offsets = {0, 4, 0}, .peak = 8}), "");
}

// Moves single buffers of right placements; wrong exactly where some pair, looked at one by one, overlaps.
TEST(MemoryCheck, AgreesWithEveryPairOfRandomPlacements) {
    std::mt19937 random(1);
    size_t wrong = 0, right = 0;
    for (int n = 0; n < 2000; ++n) {
        const Problem problem = random_problem(12, {.times = 10, .most_size = 8}, random);
        Placement placement =
            *place_greedily(problem, GreedyOrder::size, GreedyFit::lowest, Deadline::never());
        ASSERT_EQ(fault(problem, placement), "") << n;
        placement.offsets[random() % 12] = random() % 40;
        placement.peak = peak_of(problem, placement.offsets);
        bool overlap = false;
        for (size_t i = 0; i < 12; ++i)
            for (size_t j = 0; j < i; ++j) {
                const Buffer &a = problem.buffers[i], &b = problem.buffers[j];
                const uint64_t x = placement.offsets[i], y = placement.offsets[j];
                overlap |= a.lower < b.upper && b.lower < a.upper && x < y + b.size && y < x + a.size;
            }
        EXPECT_EQ(!fault(problem, placement).empty(), overlap) << n;
        ++(overlap ? wrong : right);
    }
    EXPECT_GT(wrong, 200U);
    EXPECT_GT(right, 200U);
}

} // namespace
} // namespace ingot::passes::memory::test
