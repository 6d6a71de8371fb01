// The exact search, judged by brute force: it finds what exists and disproves what doesn't.
#include <gtest/gtest.h>

#include "passes/memory/check.h"
#include "passes/memory/search.h"
#include "tests/passes/memory_problems.h"

namespace ingot::passes::memory::test {
namespace {

const Ranking by_size = {RankKey::size, RankKey::life}, by_overlaps = {RankKey::overlaps, RankKey::area},
              by_total = {RankKey::total};

// Searches part by part, and checks what is found.
SearchEnd search_all(const Problem& problem, uint64_t capacity, const Ranking& ranking) {
    Placement placement{.offsets = std::vector<uint64_t>(problem.buffers.size(), 0)};
    for (const auto& part : independent_parts(problem)) {
        const SearchModel model = make_search_model(problem, part, ranking);
        SectionFailures failures(model.sections);
        const SearchResult result = search(model, capacity / model.unit, failures, {});
        if (result.end != SearchEnd::found) return result.end;
        for (size_t i = 0; i < model.source.size(); ++i)
            placement.offsets[model.source[i]] = result.offsets[i] * model.unit;
    }
    placement.peak = peak_of(problem, placement.offsets);
    check_placement(problem, placement);
    EXPECT_LE(placement.peak, capacity);
    return SearchEnd::found;
}

// At the optimum there is a placement, one byte below there is none, whatever the ranking.
void expect_exact(const Problem& problem, const std::string& name) {
    const uint64_t best = best_peak(problem);
    for (const Ranking* ranking : {&by_size, &by_overlaps, &by_total}) {
        EXPECT_EQ(search_all(problem, best, *ranking), SearchEnd::found) << name << ": peak " << best;
        EXPECT_EQ(search_all(problem, best - 1, *ranking), SearchEnd::impossible)
            << name << ": peak " << best;
    }
}

TEST(MemorySearch, OptimumOfRandomProblems) {
    std::mt19937 random(1);
    for (int n = 0; n < 600; ++n)
        expect_exact(random_problem(1 + random() % 7, {.times = 6, .most_size = 6}, random),
                     "problem " + std::to_string(n));
}

// Many buffers that are alike: symmetry is where a search prunes too much most easily.
TEST(MemorySearch, OptimumAmongTwins) {
    std::mt19937 random(2);
    for (int n = 0; n < 600; ++n)
        expect_exact(random_problem(7, {.times = 3, .most_size = 3}, random), "problem " + std::to_string(n));
}

TEST(MemorySearch, OptimumWithAlignment) {
    std::mt19937 random(3);
    for (int n = 0; n < 600; ++n)
        expect_exact(random_problem(1 + random() % 7,
                                    {.times = 4, .most_size = 9, .alignments = {1, 2, 3, 4, 6, 8}}, random),
                     "problem " + std::to_string(n));
}

TEST(MemorySearch, PerfectPackings) {
    std::mt19937 random(4);
    for (int n = 0; n < 20; ++n)
        EXPECT_EQ(search_all(perfect_problem(24, 12, 64, random), 64, by_size), SearchEnd::found) << n;
}

TEST(MemorySearch, SectionsAreTheLargestLiveSets) {
    // Lives [0, 3), [1, 4), [2, 6), [5, 7), [6, 8): the first three meet, the next pairs don't add to them.
    Problem problem;
    for (const auto& [lower, upper] :
         std::vector<std::pair<int64_t, int64_t>>{{0, 3}, {1, 4}, {2, 6}, {5, 7}, {6, 8}})
        problem.buffers.push_back({.size = 1, .lower = lower, .upper = upper});
    ASSERT_EQ(independent_parts(problem).size(), 1U);
    const SearchModel model = make_search_model(problem, independent_parts(problem)[0], {});
    EXPECT_EQ(model.sections, 3U);
    EXPECT_EQ(model.items[2].begin, 0U);
    EXPECT_EQ(model.items[2].end, 2U);
    EXPECT_EQ(model.overlaps[2].size(), 3U);
}

TEST(MemorySearch, PartsThatDontTouchAreIndependent) {
    Problem problem;
    problem.buffers = {{.size = 1, .lower = 5, .upper = 9},  // second part
                       {.size = 1, .lower = 0, .upper = 3},  // first
                       {.size = 0, .lower = 0, .upper = 99}, // takes no space
                       {.size = 1, .lower = 2, .upper = 5},  // first
                       {.size = 1, .lower = 4, .upper = 4}}; // takes no time
    const std::vector<std::vector<uint32_t>> parts = {{1, 3}, {0}};
    EXPECT_EQ(independent_parts(problem), parts);
}

TEST(MemorySearch, StopsAtItsSteps) {
    std::mt19937 random(5);
    const Problem problem = perfect_problem(60, 40, 256, random);
    const SearchModel model = make_search_model(problem, independent_parts(problem)[0], by_size);
    SectionFailures failures(model.sections);
    const SearchResult result = search(model, 256 / model.unit, failures, {.steps = 10});
    EXPECT_EQ(result.end, SearchEnd::limit);
    EXPECT_EQ(result.steps, 10U);
    EXPECT_TRUE(result.offsets.empty());
}

} // namespace
} // namespace ingot::passes::memory::test
