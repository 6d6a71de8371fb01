#include "runtime/prefix_cache.h"

#include <algorithm>
#include <array>
#include <map>
#include <random>
#include <set>
#include <vector>

#include <gtest/gtest.h>

namespace ingot::runtime {
namespace {

using Ids = std::vector<std::int32_t>;

TEST(PrefixCache, FindsAPageByItsIdsAndByWhatIsBeforeIt) {
    PrefixCache cache(4, 2);
    const Ids a = {1, 2}, b = {3, 4};
    EXPECT_EQ(cache.find(PrefixCache::no_stamp, a), PrefixCache::no_page);
    EXPECT_TRUE(cache.keep(2, PrefixCache::no_stamp, a));
    EXPECT_EQ(cache.find(PrefixCache::no_stamp, a), 2U);
    EXPECT_EQ(cache.find(PrefixCache::no_stamp, b), PrefixCache::no_page);
    EXPECT_NE(cache.stamp(2), PrefixCache::no_stamp);
    EXPECT_TRUE(cache.keep(0, cache.stamp(2), a)) << "the same ids further on are another page";
    EXPECT_EQ(cache.find(cache.stamp(2), a), 0U);
    EXPECT_EQ(cache.find(cache.stamp(0), a), PrefixCache::no_page);
}

TEST(PrefixCache, OfTwoEqualPagesTheFirstIsKeptAndBothContinueAlike) {
    PrefixCache cache(4, 2);
    const Ids a = {1, 2}, b = {3, 4};
    EXPECT_TRUE(cache.keep(0, PrefixCache::no_stamp, a));
    EXPECT_FALSE(cache.keep(1, PrefixCache::no_stamp, a));
    EXPECT_FALSE(cache.is_kept(1));
    EXPECT_EQ(cache.stamp(1), cache.stamp(0));
    EXPECT_TRUE(cache.keep(2, cache.stamp(1), b));
    EXPECT_EQ(cache.find(cache.stamp(0), b), 2U);
}

TEST(PrefixCache, AStampIsNeverGivenAgain) {
    PrefixCache cache(2, 1);
    std::set<std::uint64_t> stamps;
    for (std::int32_t i = 0; i < 100; ++i) {
        EXPECT_TRUE(cache.keep(0, PrefixCache::no_stamp, Ids{i % 3}));
        EXPECT_TRUE(stamps.insert(cache.stamp(0)).second);
        cache.forget(0);
        EXPECT_FALSE(cache.is_kept(0));
        EXPECT_EQ(cache.find(PrefixCache::no_stamp, Ids{i % 3}), PrefixCache::no_page);
    }
}

TEST(PrefixCache, EvictsWhatHasBeenIdleLongest) {
    PrefixCache cache(5, 1);
    for (std::uint32_t page = 0; page < 5; ++page)
        EXPECT_TRUE(cache.keep(page, PrefixCache::no_stamp, Ids{static_cast<std::int32_t>(page)}));
    EXPECT_EQ(cache.evict(), PrefixCache::no_page) << "pages in use are not for taking";
    for (const std::uint32_t page : {3U, 1U, 4U, 0U, 2U})
        cache.set_idle(page);
    cache.set_busy(4); // from the middle
    cache.set_busy(3); // the oldest
    cache.set_idle(3); // and now the newest
    cache.forget(0);   // content gone: nothing to evict
    EXPECT_EQ(cache.idle_pages(), 3U);
    EXPECT_EQ(cache.evict(), 1U);
    EXPECT_EQ(cache.evict(), 2U);
    EXPECT_EQ(cache.find(PrefixCache::no_stamp, Ids{2}), PrefixCache::no_page);
    EXPECT_EQ(cache.evict(), 3U);
    EXPECT_EQ(cache.evict(), PrefixCache::no_page);
    EXPECT_EQ(cache.idle_pages(), 0U);
}

// Against a map from whole pasts to pages and a list of idle pages.
TEST(PrefixCache, RandomOperationsDoWhatAMapDoes) {
    constexpr std::uint32_t pages = 12;
    std::mt19937 random(20240611);
    const auto below = [&](std::size_t n) { return random() % n; };
    for (int round = 0; round < 20; ++round) {
        PrefixCache cache(pages, 2);
        std::array<Ids, pages> past;       // of pages with a stamp: all ids up to its end; else empty
        std::map<Ids, std::uint32_t> kept; // past -> page
        std::vector<std::uint32_t> idle;   // from the oldest on
        const auto is_kept = [&](std::uint32_t page) {
            const auto found = kept.find(past[page]);
            return !past[page].empty() && found != kept.end() && found->second == page;
        };
        const auto forget = [&](std::uint32_t page) {
            if (is_kept(page)) kept.erase(past[page]);
            past[page].clear();
            std::erase(idle, page);
        };
        for (int step = 0; step < 2000; ++step) {
            const auto page = static_cast<std::uint32_t>(below(pages));
            const bool is_idle = std::ranges::find(idle, page) != idle.end();
            switch (below(5)) {
            case 0: { // a page behind another one, or behind none
                if (!past[page].empty()) break;
                const auto before = static_cast<std::uint32_t>(below(pages));
                Ids whole = past[before];
                whole.push_back(static_cast<std::int32_t>(below(2)));
                whole.push_back(static_cast<std::int32_t>(below(2)));
                const std::uint64_t stamp =
                    past[before].empty() ? PrefixCache::no_stamp : cache.stamp(before);
                const bool is_new = kept.try_emplace(whole, page).second;
                const bool known_before = past[before].empty() || kept.contains(past[before]);
                // Behind a past of which no page is left, equal stamps and equal pasts are not the same.
                if (!known_before) {
                    if (is_new) kept.erase(whole);
                    break;
                }
                EXPECT_EQ(cache.keep(page, stamp, std::span(whole).last(2)), is_new);
                past[page] = whole;
                break;
            }
            case 1:
                forget(page);
                cache.forget(page);
                // What is behind a forgotten page can't be found any more, so it goes too.
                for (std::uint32_t other = 0; other < pages; ++other)
                    for (Ids begin = past[other]; !begin.empty(); begin.resize(begin.size() - 2))
                        if (!kept.contains(begin)) {
                            forget(other);
                            cache.forget(other);
                            break;
                        }
                break;
            case 2:
                if (!is_kept(page) || is_idle) break;
                idle.push_back(page);
                cache.set_idle(page);
                break;
            case 3:
                if (!is_idle) break;
                std::erase(idle, page);
                cache.set_busy(page);
                break;
            default: {
                Ids whole;
                std::uint64_t stamp = PrefixCache::no_stamp;
                std::uint32_t found = PrefixCache::no_page;
                for (;;) { // walk a random past to its end
                    const Ids next = {static_cast<std::int32_t>(below(2)),
                                      static_cast<std::int32_t>(below(2))};
                    whole.insert(whole.end(), next.begin(), next.end());
                    found = cache.find(stamp, next);
                    const auto expected = kept.find(whole);
                    ASSERT_EQ(found, expected == kept.end() ? PrefixCache::no_page : expected->second);
                    if (found == PrefixCache::no_page) break;
                    stamp = cache.stamp(found);
                }
            }
            }
            ASSERT_EQ(cache.idle_pages(), idle.size());
            for (std::uint32_t p = 0; p < pages; ++p)
                ASSERT_EQ(cache.is_kept(p), is_kept(p)) << p;
        }
        while (!idle.empty()) {
            ASSERT_EQ(cache.evict(), idle.front());
            idle.erase(idle.begin());
        }
    }
}

} // namespace
} // namespace ingot::runtime
