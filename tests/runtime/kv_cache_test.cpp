#include "runtime/kv_cache.h"

#include "tests/support/code_of.h"

#include <algorithm>
#include <map>
#include <numeric>
#include <random>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace ingot::runtime {
namespace {

using Ids = std::vector<std::int32_t>;
using testing::HasSubstr;

Ids counting(std::int32_t first, std::size_t count) {
    Ids ids(count);
    std::iota(ids.begin(), ids.end(), first);
    return ids;
}

// What a device would hold at a position: a number that depends on all ids up to it, as keys and values do.
std::uint64_t value_after(std::span<const std::int32_t> ids) {
    std::uint64_t value = 1469598103934665603U;
    for (const std::int32_t id : ids)
        value = (value ^ static_cast<std::uint32_t>(id)) * 1099511628211U;
    return value;
}

// A cache with a device memory that kernels could have written, and a list of ids for each sequence as the
// judge.
class Judged {
  public:
    explicit Judged(const KvShape& shape, bool keep_prefixes = true)
        : shape_(shape), table_(std::size_t{shape.max_sequences} * shape.max_pages_per_sequence, -1),
          memory_(std::size_t{shape.pages} * shape.page_positions),
          cache_(shape, table_, [this](auto to, auto from) { copy_page(to, from); }, keep_prefixes) {}

    KvCache& cache() { return cache_; }
    std::size_t copies() const { return copies_; }
    const std::map<SequenceId, Ids>& sequences() const { return ids_; }
    std::span<const std::int32_t> table() const { return table_; }

    SequenceId open() {
        const SequenceId s = cache_.open();
        ids_[s] = {};
        return s;
    }
    SequenceId fork(SequenceId from) {
        const SequenceId s = cache_.fork(from);
        ids_[s] = ids_.at(from);
        return s;
    }
    void close(SequenceId s) {
        cache_.close(s);
        ids_.erase(s);
    }
    void truncate(SequenceId s, std::uint32_t length) {
        cache_.truncate(s, length);
        ids_.at(s).resize(length);
    }
    // What a session does with a prompt.
    std::uint32_t prefill(SequenceId s, const Ids& ids) {
        const std::uint32_t reused = cache_.reuse_prefix(s, ids);
        ids_.at(s).insert(ids_.at(s).end(), ids.begin(), ids.begin() + reused);
        append(s, Ids(ids.begin() + reused, ids.end()));
        return reused;
    }
    void append(SequenceId s, const Ids& ids) {
        cache_.append(s, ids);
        Ids& all = ids_.at(s);
        for (const std::int32_t id : ids) {
            all.push_back(id);
            place(s, all.size() - 1) = value_after(all);
        }
    }

    // Every position of every sequence holds what its own past makes, and the counts agree.
    void check() {
        cache_.check();
        ASSERT_EQ(cache_.open_sequences(), ids_.size());
        for (const auto& [s, ids] : ids_) {
            ASSERT_EQ(cache_.length(s), ids.size());
            for (std::size_t i = 0; i < ids.size(); ++i)
                ASSERT_EQ(place(s, i), value_after(std::span(ids).first(i + 1))) << "position " << i;
        }
    }

  private:
    std::uint64_t& place(SequenceId s, std::size_t position) {
        const auto row = std::span(table_).subspan(
            std::size_t{cache_.slot(s)} * shape_.max_pages_per_sequence, shape_.max_pages_per_sequence);
        const auto page = static_cast<std::size_t>(row[position / shape_.page_positions]);
        return memory_.at(page * shape_.page_positions + position % shape_.page_positions);
    }
    void copy_page(std::uint32_t to, std::uint32_t from) {
        ASSERT_NE(to, from);
        ++copies_;
        std::copy_n(memory_.begin() + from * shape_.page_positions, shape_.page_positions,
                    memory_.begin() + to * shape_.page_positions);
    }

    KvShape shape_;
    std::vector<std::int32_t> table_;
    std::vector<std::uint64_t> memory_;
    KvCache cache_;
    std::map<SequenceId, Ids> ids_;
    std::size_t copies_ = 0;
};

constexpr KvShape small{
    .page_positions = 4, .pages = 10, .max_sequences = 4, .max_pages_per_sequence = 6, .context = 23};

TEST(KvCache, TablesOfAnotherSizeAreRefused) {
    std::vector<std::int32_t> table(5);
    EXPECT_EQ(code_of([&] { KvCache(small, table, {}, true); }), Code::invalid_argument);
}

TEST(KvCache, EntriesWithoutAPageAreZeroFromTheFirstMomentOn) {
    Judged judged(small);
    EXPECT_TRUE(std::ranges::all_of(judged.table(), [](auto entry) { return entry == 0; }));
    EXPECT_TRUE(judged.cache().table_changed());
    EXPECT_FALSE(judged.cache().table_changed());
}

TEST(KvCache, TheTableIsMarkedWhereAndOnlyWhereAPageChanges) {
    Judged judged(small);
    const SequenceId s = judged.open();
    judged.cache().table_changed();
    judged.append(s, {1});
    EXPECT_TRUE(judged.cache().table_changed());
    judged.append(s, {2, 3, 4});
    EXPECT_FALSE(judged.cache().table_changed()) << "the page had room";
    judged.append(s, {5});
    EXPECT_TRUE(judged.cache().table_changed());
    judged.truncate(s, 5);
    EXPECT_FALSE(judged.cache().table_changed());
    judged.truncate(s, 4);
    EXPECT_TRUE(judged.cache().table_changed());
}

TEST(KvCache, AnIdIsGoodForOneLifeOfItsSequence) {
    Judged judged(small);
    const SequenceId first = judged.open();
    judged.close(first);
    const SequenceId second = judged.open();
    EXPECT_NE(first, second);
    EXPECT_EQ(judged.cache().slot(second), 0U) << "the slot is used again";
    for (const SequenceId bad : {first, SequenceId{}, static_cast<SequenceId>(UINT64_MAX)}) {
        EXPECT_EQ(code_of([&] { judged.cache().length(bad); }), Code::invalid_argument);
        EXPECT_EQ(code_of([&] { judged.cache().slot(bad); }), Code::invalid_argument);
        EXPECT_EQ(code_of([&] { judged.cache().fork(bad); }), Code::invalid_argument);
        EXPECT_EQ(code_of([&] { judged.cache().close(bad); }), Code::invalid_argument);
        EXPECT_EQ(code_of([&] { judged.cache().append(bad, Ids{1}); }), Code::invalid_argument);
        EXPECT_EQ(code_of([&] { judged.cache().truncate(bad, 0); }), Code::invalid_argument);
        EXPECT_EQ(code_of([&] { judged.cache().reuse_prefix(bad, Ids{1}); }), Code::invalid_argument);
    }
    judged.check();
}

TEST(KvCache, RefusedAppendsChangeNothing) {
    Judged judged(small);
    const SequenceId a = judged.open(), b = judged.open(), c = judged.open();
    judged.append(a, counting(0, 22));
    judged.append(b, counting(50, 14));
    EXPECT_EQ(judged.cache().free_pages(), 0U);
    const Ids table(judged.table().begin(), judged.table().end());
    EXPECT_EQ(code_of([&] { judged.cache().append(a, Ids{1, 2}); }), Code::invalid_argument) << "context";
    EXPECT_EQ(code_of([&] { judged.cache().append(b, Ids{1, 2, 3}); }), Code::out_of_memory);
    EXPECT_EQ(code_of([&] { judged.cache().append(c, Ids{1}); }), Code::out_of_memory);
    EXPECT_EQ(code_of([&] { judged.cache().truncate(b, 15); }), Code::invalid_argument);
    judged.open();
    EXPECT_EQ(code_of([&] { judged.cache().open(); }), Code::out_of_memory);
    EXPECT_EQ(code_of([&] { judged.cache().fork(a); }), Code::out_of_memory);
    EXPECT_TRUE(std::ranges::equal(judged.table(), table));
    judged.check();
    judged.append(a, {7}); // what does fit still goes
    judged.append(b, {1, 2});
    judged.check();
}

TEST(KvCache, AnErrorSaysHowManyPagesAreWantedAndFree) {
    Judged judged(small);
    const SequenceId a = judged.open(), b = judged.open();
    judged.append(a, counting(0, 20));
    judged.append(b, counting(50, 12));
    try {
        judged.cache().append(b, counting(0, 10));
        FAIL();
    } catch (const Error& e) {
        EXPECT_THAT(e.what(), HasSubstr("3 pages wanted and 2 free"));
    }
}

TEST(KvCache, ForksShareFullPagesAndCopyTheBegunOneBeforeWriting) {
    Judged judged(small);
    const SequenceId a = judged.open();
    judged.append(a, counting(0, 6));
    const SequenceId b = judged.fork(a);
    EXPECT_EQ(judged.cache().free_pages(), 8U);
    EXPECT_EQ(judged.copies(), 0U);
    judged.append(b, {100});
    EXPECT_EQ(judged.copies(), 1U);
    EXPECT_EQ(judged.cache().free_pages(), 7U);
    judged.append(a, {200});
    EXPECT_EQ(judged.copies(), 1U) << "alone now, so it may write in place";
    judged.check();
}

TEST(KvCache, ACopyNeedsAPage) {
    Judged judged(
        {.page_positions = 4, .pages = 3, .max_sequences = 2, .max_pages_per_sequence = 3, .context = 12});
    const SequenceId a = judged.open();
    judged.append(a, counting(0, 10));
    const SequenceId b = judged.fork(a);
    EXPECT_EQ(code_of([&] { judged.cache().append(b, Ids{1}); }), Code::out_of_memory);
    EXPECT_EQ(code_of([&] { judged.cache().append(a, Ids{1}); }), Code::out_of_memory);
    judged.check();
    judged.close(a);
    judged.append(b, {1});
    EXPECT_EQ(judged.copies(), 0U);
    judged.check();
}

TEST(KvCache, APromptStartsBehindItsLongestKnownBeginning) {
    Judged judged(small);
    const Ids prompt = counting(0, 14);
    const SequenceId a = judged.open();
    EXPECT_EQ(judged.prefill(a, prompt), 0U);
    const SequenceId b = judged.open();
    EXPECT_EQ(judged.prefill(b, prompt), 12U) << "while the first is there";
    Ids other = prompt;
    other[5] = 99;
    const SequenceId c = judged.open();
    EXPECT_EQ(judged.prefill(c, other), 4U);
    judged.check();
    judged.close(a);
    judged.close(b);
    judged.close(c);
    judged.check();
    EXPECT_EQ(judged.cache().free_pages(), small.pages);
    const SequenceId d = judged.open();
    EXPECT_EQ(judged.prefill(d, Ids(prompt.begin(), prompt.begin() + 12)), 8U) << "one id is left to compute";
    EXPECT_EQ(judged.cache().reuse_prefix(d, prompt), 0U) << "only an empty sequence has a beginning";
    judged.check();
}

TEST(KvCache, NothingIsKeptWhereThatIsOff) {
    Judged judged(small, false);
    const SequenceId a = judged.open();
    EXPECT_EQ(judged.prefill(a, counting(0, 14)), 0U);
    judged.close(a);
    const SequenceId b = judged.open();
    EXPECT_EQ(judged.prefill(b, counting(0, 14)), 0U);
    judged.check();
}

TEST(KvCache, WhatWasCutAndWrittenAnewIsFoundNoMore) {
    Judged judged(small);
    const SequenceId a = judged.open();
    judged.append(a, counting(0, 8));
    judged.truncate(a, 6);
    judged.append(a, {70, 71});
    const SequenceId b = judged.open();
    EXPECT_EQ(judged.prefill(b, counting(0, 9)), 4U);
    judged.close(b);
    const SequenceId c = judged.open();
    EXPECT_EQ(judged.prefill(c, {0, 1, 2, 3, 4, 5, 70, 71, 72}), 8U);
    judged.check();
}

TEST(KvCache, TheLongestIdleGoesFirstAndOfOnePromptTheLastPage) {
    Judged judged(small); // 10 pages
    const SequenceId a = judged.open(), b = judged.open();
    judged.prefill(a, counting(0, 12));   // 3 pages
    judged.prefill(b, counting(100, 12)); // 3 pages
    judged.close(b);
    judged.close(a);
    const SequenceId c = judged.open();
    judged.append(c, counting(200, 20)); // 4 unused pages and one of b's
    const SequenceId d = judged.open();
    EXPECT_EQ(judged.cache().reuse_prefix(d, counting(100, 13)), 8U);
    judged.cache().truncate(d, 0);
    EXPECT_EQ(judged.cache().reuse_prefix(d, counting(0, 13)), 12U);
    judged.cache().truncate(d, 0);
    judged.check();
}

// A step that can't be taken gives back what was entered for it: nothing was computed there.
TEST(KvCache, WhatWasEnteredInVainIsNotFound) {
    Judged judged(small);
    const SequenceId a = judged.open();
    judged.append(a, counting(0, 6));
    judged.cache().append(a, counting(6, 7));
    judged.cache().retract(a, 6);
    judged.check();
    EXPECT_EQ(code_of([&] { judged.cache().retract(a, 7); }), Code::invalid_argument);
    const SequenceId b = judged.open();
    EXPECT_EQ(judged.prefill(b, counting(0, 14)), 4U);
    judged.check();
}

TEST(KvCache, RandomOperationsKeepEverySequencesOwnPast) {
    std::mt19937 random(4711);
    const auto below = [&](std::size_t n) { return static_cast<std::uint32_t>(random() % n); };
    const auto some_ids = [&](std::size_t most) {
        Ids ids(1 + below(most)); // few different ids, so that beginnings meet
        for (auto& id : ids)
            id = static_cast<std::int32_t>(below(2));
        return ids;
    };
    std::size_t refused = 0, reused = 0, copies = 0;
    for (int round = 0; round < 100; ++round) {
        const std::uint32_t page_positions = 1 + below(4), per_sequence = 2 + below(5);
        Judged judged({.page_positions = page_positions,
                       .pages = 4 + below(12),
                       .max_sequences = 1 + below(5),
                       .max_pages_per_sequence = per_sequence,
                       .context = page_positions * per_sequence - below(2)},
                      round % 4 != 0);
        for (int step = 0; step < 1000; ++step) {
            const auto& open = judged.sequences();
            const SequenceId s =
                open.empty() ? SequenceId{} : std::next(open.begin(), below(open.size()))->first;
            const std::uint32_t kind = open.empty() ? 0 : below(10);
            const Ids table(judged.table().begin(), judged.table().end());
            const std::uint32_t free = judged.cache().free_pages();
            try {
                if (kind == 0) judged.open();
                if (kind == 1) judged.fork(s);
                if (kind == 2) judged.close(s);
                if (kind == 3) judged.truncate(s, below(judged.cache().length(s) + 1));
                if (kind >= 4 && kind < 7) judged.append(s, some_ids(6));
                if (kind == 9) {
                    const std::uint32_t length = judged.cache().length(s);
                    judged.cache().append(s, some_ids(6));
                    judged.cache().retract(s, length);
                }
                if ((kind == 7 || kind == 8) && judged.cache().length(s) == 0) {
                    // As a session does it, so that a refusal leaves nothing behind.
                    const Ids ids = some_ids(page_positions * per_sequence + 1);
                    try {
                        reused += judged.prefill(s, ids);
                    } catch (const Error&) {
                        judged.truncate(s, 0);
                        throw;
                    }
                }
            } catch (const Error&) {
                ++refused;
                ASSERT_EQ(judged.cache().free_pages(), free);
                ASSERT_TRUE(std::ranges::equal(judged.table(), table));
            }
            judged.check();
            if (HasFatalFailure()) return;
        }
        copies += judged.copies();
    }
    EXPECT_GT(refused, 1000U);
    EXPECT_GT(reused, 1000U);
    EXPECT_GT(copies, 100U);
}

TEST(KvCache, AThousandSequencesComeAndGo) {
    Judged judged(small);
    for (std::int32_t i = 0; i < 1000; ++i) {
        const SequenceId s = judged.open();
        judged.prefill(s, counting(i % 7, 1 + static_cast<std::size_t>(i) % 23));
        judged.close(s);
        EXPECT_EQ(judged.cache().free_pages(), small.pages);
        EXPECT_EQ(judged.cache().open_sequences(), 0U);
    }
    judged.check();
}

} // namespace
} // namespace ingot::runtime
