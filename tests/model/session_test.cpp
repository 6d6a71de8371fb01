// What a session does with its sequences: whatever the way to a past, the logits after it are the same.
#include "golden.h"
#include "small_session.h"

#include "runtime/error.h"
#include "tests/support/code_of.h"

#include <algorithm>
#include <map>
#include <random>
#include <stdexcept>

namespace ingot::tests {
namespace {

using runtime::Code;
using runtime::code_of;
using runtime::SequenceId;
using runtime::Step;

Ids operator+(Ids a, const Ids& b) {
    a.insert(a.end(), b.begin(), b.end());
    return a;
}

// Says what the logits after some ids are: a session of its own computes them, from nothing.
class SessionTest : public SmallSession {
  protected:
    void SetUp() override {
        SmallSession::SetUp();
        judge_ = open(false);
    }
    const Logits& after(const Ids& past) {
        const auto [at, is_new] = known_.try_emplace(past);
        if (is_new) {
            const SequenceId s = judge_->create_sequence();
            judge_->prefill(s, past);
            const auto l = judge_->logits();
            at->second.assign(l.begin(), l.end());
            judge_->free_sequence(s);
        }
        return at->second;
    }
    void expect_after(const Ids& past, const Logits& got) {
        EXPECT_LE(nmse(got, after(past)), same_nmse) << past.size() << " positions";
    }

  private:
    std::unique_ptr<runtime::Session> judge_;
    std::map<Ids, Logits> known_;
};

TEST_F(SessionTest, SaysWhatItsPlanHolds) {
    EXPECT_EQ(session->context(), 96U);
    EXPECT_EQ(session->vocabulary_size(), 333U);
    EXPECT_EQ(session->max_sequences(), 4U);
    EXPECT_EQ(session->max_rows(), 3U);
    EXPECT_EQ(session->prefill_tile(), 24U);
    EXPECT_EQ(session->free_pages(), small_pages);
    EXPECT_EQ(session->threads(), 2U);
    EXPECT_GT(session->memory_bytes(), 0U);
}

TEST_F(SessionTest, TheNextTokenIsTheOneOfTheGreatestLogit) {
    const SequenceId s = session->create_sequence();
    Logits l = prefill(s, ids(3, 30));
    for (int i = 0; i < 20; ++i) {
        const auto best = static_cast<std::int32_t>(std::ranges::max_element(l) - l.begin());
        ASSERT_EQ(session->next(), best);
        l = decode(s, best);
    }
    EXPECT_EQ(session->length(s), 50U);
}

TEST_F(SessionTest, APromptInTilesAcrossPagesIsTheSameAsTokenByToken) {
    const SequenceId s = session->create_sequence();
    const Ids all = ids(5, 96);
    for (std::size_t i = 0; i < all.size(); ++i)
        expect_after(Ids(all.begin(), all.begin() + static_cast<std::ptrdiff_t>(i) + 1), decode(s, all[i]));
}

TEST_F(SessionTest, LogitsForAllAreThoseOfTheStepsOneByOne) {
    const SequenceId s = session->create_sequence();
    session->prefill(s, ids(9, 5));
    std::vector<Logits> all;
    session->logits_for_all(s, ids(1, 51), [&](std::uint32_t index, std::span<const float> l) {
        ASSERT_EQ(index, all.size());
        all.emplace_back(l.begin(), l.end());
    });
    ASSERT_EQ(all.size(), 51U);
    EXPECT_EQ(session->length(s), 56U);
    for (std::size_t i = 0; i < all.size(); ++i)
        expect_after(ids(9, 5) + ids(1, i + 1), all[i]);
}

TEST_F(SessionTest, SeveralSequencesDecodedTogetherAreEachAsAlone) {
    const Ids prompts[] = {ids(0, 3), ids(50, 31), ids(100, 16)};
    SequenceId s[3];
    for (int i = 0; i < 3; ++i)
        prefill(s[i] = session->create_sequence(), prompts[i]);
    for (std::int32_t step = 0; step < 5; ++step) {
        session->decode({{Step{s[2], step}, Step{s[0], step + 10}, Step{s[1], step + 20}}});
        for (std::uint32_t row = 0; row < 3; ++row) {
            const std::uint32_t i = (row + 2) % 3;
            Ids past = prompts[i];
            for (std::int32_t before = 0; before <= step; ++before)
                past.push_back(before + (i == 2 ? 0 : i == 0 ? 10 : 20));
            const Logits l = logits(row);
            expect_after(past, l);
            EXPECT_EQ(session->next(row), std::ranges::max_element(l) - l.begin());
        }
        EXPECT_EQ(code_of([&] { session->logits(3); }), Code::invalid_argument);
        EXPECT_EQ(code_of([&] { session->next(3); }), Code::invalid_argument);
    }
}

TEST_F(SessionTest, AForkGoesItsOwnWay) {
    for (const std::size_t length : {1U, 15U, 16U, 17U, 33U}) {
        const SequenceId a = session->create_sequence();
        session->prefill(a, ids(2, length));
        const SequenceId b = session->fork(a);
        EXPECT_EQ(session->length(b), length);
        expect_after(ids(2, length) + Ids{7}, decode(b, 7));
        expect_after(ids(2, length) + Ids{8}, decode(a, 8));
        const SequenceId c = session->fork(b);
        expect_after(ids(2, length) + Ids{7} + ids(40, 20), prefill(c, ids(40, 20)));
        expect_after(ids(2, length) + Ids{7, 9}, decode(b, 9));
        session->free_sequence(b);
        expect_after(ids(2, length) + Ids{8, 10}, decode(a, 10));
        session->free_sequence(a);
        expect_after(ids(2, length) + Ids{7} + ids(40, 20) + Ids{11}, decode(c, 11));
        session->free_sequence(c);
        EXPECT_EQ(session->free_pages(), small_pages);
    }
}

TEST_F(SessionTest, WhatWasCutOffIsForgotten) {
    const SequenceId s = session->create_sequence();
    session->prefill(s, ids(2, 50));
    for (const std::uint32_t length : {49U, 48U, 33U, 16U, 15U, 0U}) {
        session->truncate(s, length);
        EXPECT_EQ(session->length(s), length);
        expect_after(ids(2, length) + Ids{100}, decode(s, 100));
        expect_after(ids(2, length) + Ids{100} + ids(60, 10), prefill(s, ids(60, 10)));
        session->truncate(s, length);
    }
}

TEST_F(SessionTest, APromptStartsBehindItsKnownBeginning) {
    SequenceId s = session->create_sequence();
    EXPECT_EQ(session->prefill(s, ids(2, 40)), 0U);
    const SequenceId beside = session->create_sequence();
    EXPECT_EQ(session->prefill(beside, ids(2, 20) + ids(7, 20)), 16U);
    expect_after(ids(2, 20) + ids(7, 20), logits());
    session->free_sequence(beside);
    session->free_sequence(s);
    s = session->create_sequence();
    EXPECT_EQ(session->prefill(s, ids(2, 60)), 32U);
    expect_after(ids(2, 60), logits());
    session->free_sequence(s);
    s = session->create_sequence();
    EXPECT_EQ(session->prefill(s, ids(2, 48)), 32U) << "one id at least is computed";
    expect_after(ids(2, 48), logits());
    session = open(false);
    for (int i = 0; i < 2; ++i) {
        s = session->create_sequence();
        EXPECT_EQ(session->prefill(s, ids(2, 40)), 0U);
        session->free_sequence(s);
    }
}

TEST_F(SessionTest, PromptsThatWereForgottenAreComputedAnew) {
    for (std::int32_t i = 0; i < 12; ++i) { // each pushes one before it out
        const SequenceId s = session->create_sequence();
        EXPECT_EQ(session->prefill(s, ids(i * 11 % 7, 70)), 0U) << i;
        expect_after(ids(i * 11 % 7, 70), logits());
        session->free_sequence(s);
        const SequenceId again = session->create_sequence();
        EXPECT_EQ(session->prefill(again, ids(i * 11 % 7, 70)), 64U);
        session->free_sequence(again);
    }
}

TEST_F(SessionTest, ErrorsLeaveEverySequenceAsItWas) {
    const SequenceId a = session->create_sequence(), b = session->create_sequence();
    session->prefill(a, ids(0, 95));
    session->prefill(b, ids(50, 31));
    const std::uint32_t free = session->free_pages();
    const SequenceId gone = session->create_sequence();
    session->free_sequence(gone);

    EXPECT_EQ(code_of([&] { session->prefill(a, {}); }), Code::invalid_argument);
    EXPECT_EQ(code_of([&] { session->prefill(a, Ids{-1}); }), Code::invalid_argument);
    EXPECT_EQ(code_of([&] { session->prefill(a, Ids{1, 333}); }), Code::invalid_argument);
    EXPECT_EQ(code_of([&] { session->prefill(a, Ids{1, 2}); }), Code::invalid_argument) << "context";
    EXPECT_EQ(code_of([&] { session->prefill(gone, Ids{1}); }), Code::invalid_argument);
    EXPECT_EQ(code_of([&] { session->prefill(b, ids(0, 18)); }), Code::out_of_memory);
    EXPECT_EQ(code_of([&] { session->decode({}); }), Code::invalid_argument);
    EXPECT_EQ(code_of([&] { session->decode(b, 333); }), Code::invalid_argument);
    EXPECT_EQ(code_of([&] { session->decode(gone, 3); }), Code::invalid_argument);
    EXPECT_EQ(code_of([&] { session->decode({{Step{b, 1}, Step{b, 2}}}); }), Code::invalid_argument);
    EXPECT_EQ(code_of([&] { session->decode({{Step{b, 1}, Step{a, 400}}}); }), Code::invalid_argument);
    EXPECT_EQ(code_of([&] { session->decode(std::vector<Step>(4, Step{b, 1})); }), Code::invalid_argument);
    EXPECT_EQ(code_of([&] { session->logits_for_all(b, {}, {}); }), Code::invalid_argument);
    EXPECT_EQ(code_of([&] { session->logits_for_all(a, ids(0, 2), {}); }), Code::invalid_argument);
    EXPECT_EQ(code_of([&] { session->truncate(b, 32); }), Code::invalid_argument);
    EXPECT_EQ(code_of([&] { session->truncate(gone, 0); }), Code::invalid_argument);
    EXPECT_EQ(code_of([&] { session->free_sequence(gone); }), Code::invalid_argument);
    EXPECT_EQ(code_of([&] { session->fork(gone); }), Code::invalid_argument);
    EXPECT_EQ(code_of([&] { (void)session->length(gone); }), Code::invalid_argument);
    const SequenceId c = session->create_sequence(), d = session->create_sequence();
    EXPECT_EQ(code_of([&] { session->create_sequence(); }), Code::out_of_memory);
    EXPECT_EQ(code_of([&] { session->fork(a); }), Code::out_of_memory);
    session->free_sequence(c);
    session->free_sequence(d);

    EXPECT_EQ(session->free_pages(), free);
    EXPECT_EQ(session->length(a), 95U);
    EXPECT_EQ(session->length(b), 31U);
    expect_after(ids(0, 95) + Ids{5}, decode(a, 5));
    expect_after(ids(50, 31) + Ids{5}, decode(b, 5));
}

// A step of several sequences of which one finds no page: the others had entered their tokens by then.
TEST_F(SessionTest, NobodyStartsBehindATokenThatWasNeverComputed) {
    const SequenceId full = session->create_sequence(), s = session->create_sequence(),
                     no_page = session->create_sequence();
    session->prefill(full, ids(0, 96));
    session->prefill(s, ids(50, 15));
    session->prefill(no_page, ids(100, 32));
    EXPECT_EQ(code_of([&] { session->decode({{Step{s, 1}, Step{no_page, 2}}}); }), Code::out_of_memory);
    EXPECT_EQ(session->length(s), 15U);
    session->free_sequence(full);
    // The page of s would be full with token 1.
    const SequenceId other = session->create_sequence();
    EXPECT_EQ(session->prefill(other, ids(50, 15) + Ids{1, 3}), 0U);
    expect_after(ids(50, 15) + Ids{1, 3}, logits());
    expect_after(ids(50, 15) + Ids{2}, decode(s, 2));
}

TEST_F(SessionTest, WhatACallbackThrowsComesOutAndLeavesTheSequenceAsItWas) {
    const SequenceId s = session->create_sequence();
    session->prefill(s, ids(50, 10));
    EXPECT_THROW(session->logits_for_all(s, ids(60, 40),
                                         [](std::uint32_t index, std::span<const float>) {
                                             if (index == 7) throw std::domain_error("enough");
                                         }),
                 std::domain_error);
    EXPECT_EQ(session->length(s), 10U);
    expect_after(ids(50, 10) + Ids{4}, decode(s, 4));
    session->free_sequence(s);
    const SequenceId other = session->create_sequence();
    EXPECT_EQ(session->prefill(other, ids(50, 10) + ids(60, 40)), 0U);
    expect_after(ids(50, 10) + ids(60, 40), logits());
}

TEST_F(SessionTest, ACallFromWithinACallbackIsAnError) {
    const SequenceId s = session->create_sequence();
    session->logits_for_all(s, ids(0, 1), [&](std::uint32_t, std::span<const float>) {
        EXPECT_EQ(code_of([&] { session->decode(s, 1); }), Code::invalid_argument);
    });
    session->decode(s, 1);
}

TEST_F(SessionTest, RandomOperationsGiveTheLogitsOfAFreshRun) {
    std::mt19937 random(99);
    const auto below = [&](std::size_t n) { return static_cast<std::size_t>(random() % n); };
    const auto some_ids = [&](std::size_t most) { // of two, so that beginnings meet
        Ids out(1 + below(most));
        for (auto& id : out)
            id = static_cast<std::int32_t>(below(2));
        return out;
    };
    std::map<SequenceId, Ids> open;
    std::size_t refused = 0, reused = 0;
    const auto one = [&] { return std::next(open.begin(), static_cast<std::ptrdiff_t>(below(open.size()))); };
    for (int step = 0; step < 1500; ++step) {
        const std::size_t kind = open.empty() ? 0 : below(12);
        try {
            if (kind <= 1) open[session->create_sequence()] = {};
            if (kind == 2) {
                const auto from = one();
                open[session->fork(from->first)] = from->second;
            }
            if (kind == 3 || kind == 4) {
                const auto s = one();
                session->free_sequence(s->first);
                open.erase(s);
            }
            if (kind == 5) {
                const auto s = one();
                s->second.resize(below(s->second.size() + 1));
                session->truncate(s->first, static_cast<std::uint32_t>(s->second.size()));
            }
            if (kind >= 6 && kind < 9) {
                const auto s = one();
                const Ids added = s->second.empty() ? Ids(16 * below(5), 1) + some_ids(20) : some_ids(30);
                reused += session->prefill(s->first, added);
                s->second = s->second + added;
                expect_after(s->second, logits());
            }
            if (kind >= 9) {
                std::vector<Step> steps;
                for (const auto& [s, past] : open)
                    if (steps.size() < 3 && below(2) == 0)
                        steps.push_back({s, static_cast<std::int32_t>(below(2))});
                if (steps.empty()) continue;
                session->decode(steps);
                for (std::uint32_t row = 0; row < steps.size(); ++row) {
                    Ids& past = open.at(steps[row].sequence);
                    past.push_back(steps[row].token);
                    expect_after(past, logits(row));
                }
            }
        } catch (const runtime::Error&) {
            ++refused;
        }
        for (const auto& [s, past] : open)
            ASSERT_EQ(session->length(s), past.size());
        if (HasFailure()) FAIL() << "at step " << step << ", kind " << kind;
    }
    EXPECT_GT(refused, 50U);
    EXPECT_GT(reused, 1000U);
}

} // namespace
} // namespace ingot::tests
