// What sessions take: memory when they open and none after, the same after a thousand sequences, and nothing
// from each other.
#include "small_session.h"

#include "runtime/error.h"
#include "tests/support/heap_allocations.h"

#include <filesystem>
#include <thread>

#include <malloc.h>

namespace ingot::tests {
namespace {

using runtime::SequenceId;
using runtime::Session;
using runtime::Step;

class SessionResources : public SmallSession {};

// One of everything that a session can do, with some of the ids.
void use_all(Session& session, const Ids& ids, double& sum) {
    const std::span<const std::int32_t> all(ids);
    const SequenceId a = session.create_sequence(), b = session.create_sequence();
    session.prefill(a, all.first(21));
    session.prefill(b, all.subspan(21, 1));
    const SequenceId c = session.fork(a);
    const Step steps[] = {{a, ids[30]}, {b, ids[31]}, {c, ids[32]}};
    session.decode(steps);
    for (std::uint32_t row = 0; row < 3; ++row)
        sum += session.logits(row)[0] + static_cast<float>(session.next(row));
    session.decode(c, ids[33]);
    session.truncate(c, 5);
    session.logits_for_all(c, all.subspan(40, 30),
                           [&](std::uint32_t, std::span<const float> l) { sum += l[1]; });
    for (const SequenceId s : {a, b, c})
        session.free_sequence(s);
}

TEST_F(SessionResources, NothingIsAllocatedAfterOpening) {
    if (!counts_heap_allocations()) GTEST_SKIP() << "a sanitizer stands in front of malloc";
    const Ids some = ids(4, 80);
    double sum = 0;
    const std::size_t heap = heap_allocations();
    const runtime::AllocationCount before = device->allocations();
    use_all(*session, some, sum);
    EXPECT_EQ(heap_allocations(), heap);
    EXPECT_EQ(device->allocations().total, before.total);
    EXPECT_TRUE(std::isfinite(sum));
    EXPECT_GT(heap, 0U) << "the count works";
}

TEST_F(SessionResources, AThousandSequencesComeAndGoWithoutGrowth) {
    double sum = 0;
    const std::uint32_t pages = session->free_pages();
    use_all(*session, ids(0, 80), sum);
    const runtime::AllocationCount before = device->allocations();
    const std::size_t in_use = ::mallinfo2().uordblks;
    for (std::int32_t i = 0; i < 334; ++i) // three sequences each
        use_all(*session, ids(i % 5, 80), sum);
    EXPECT_EQ(::mallinfo2().uordblks, in_use);
    EXPECT_EQ(device->allocations().total, before.total);
    EXPECT_EQ(session->free_pages(), pages);
    for (std::uint32_t i = 0; i < session->max_sequences(); ++i)
        session->create_sequence();
}

TEST_F(SessionResources, AllMemoryComesBack) {
    session.reset();
    EXPECT_EQ(device->allocations().live, 0U);
    for (int i = 0; i < 3; ++i) {
        const auto first = open(), second = open();
        EXPECT_EQ(device->allocations().live, first->device_allocations() + second->device_allocations());
    }
    EXPECT_EQ(device->allocations().live, 0U);
}

// Each thread has a session; weights and code are shared.
TEST_F(SessionResources, SessionsOnOnePlanRunSideBySide) {
    const auto loaded = runtime::LoadedPlan::load(plan, device);
    constexpr std::int32_t users = 2;
    double expected[users] = {}, got[users] = {};
    for (std::int32_t user = 0; user < users; ++user) {
        for (std::int32_t i = 0; i < 20; ++i)
            use_all(*session, ids(user * 7 + i, 80), expected[user]);
    }
    std::vector<std::thread> threads;
    for (std::int32_t user = 0; user < users; ++user)
        threads.emplace_back([&, user] {
            const auto own = Session::open(loaded, {.queue = {.threads = 2}});
            for (std::int32_t i = 0; i < 20; ++i)
                use_all(*own, ids(user * 7 + i, 80), got[user]);
        });
    for (std::thread& thread : threads)
        thread.join();
    for (std::int32_t user = 0; user < users; ++user)
        EXPECT_NEAR(got[user], expected[user], 1e-3);
    const auto shared = Session::open(loaded), other = Session::open(loaded);
    EXPECT_EQ(shared->device_allocations(), other->device_allocations());
}

TEST_F(SessionResources, ASecondThreadIsTurnedAway) {
    const SequenceId s = session->create_sequence();
    session->logits_for_all(s, ids(0, 1), [&](std::uint32_t, std::span<const float>) {
        std::thread([&] { EXPECT_THROW(session->create_sequence(), runtime::Error); }).join();
    });
    session->create_sequence();
}

TEST(RealSession, OpensWithFewAllocationsAndMakesNoneAfterwards) {
    if (!std::filesystem::exists(INGOT_MODEL))
        GTEST_SKIP() << "no model: give CMake -DINGOT_MODEL=FILE (tools/setup)";
    const auto device = runtime::open_device("host");
    const auto session = Session::open(compile_model(INGOT_MODEL, {.cached = true}), device);
    EXPECT_EQ(device->allocations().total, session->device_allocations());
    EXPECT_LE(session->device_allocations(), 8U);
    const std::size_t total = device->allocations().total, heap = heap_allocations();
    Ids prompt(600, 5);
    const std::size_t own = heap_allocations() - heap;
    const SequenceId s = session->create_sequence();
    session->prefill(s, prompt);
    for (int i = 0; i < 5; ++i)
        session->decode(s, session->next());
    EXPECT_EQ(device->allocations().total, total);
    EXPECT_EQ(heap_allocations() - heap, own);
}

} // namespace
} // namespace ingot::tests
