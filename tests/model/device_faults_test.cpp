// What a session does when its device fails, at every single call. On `null`, because nothing of it hangs on
// what kernels compute, and on the host, whose memory sessions read in place.
#include "small_session.h"

#include "runtime/error.h"
#include "tests/support/faulty_device.h"

#include <gmock/gmock.h>

namespace ingot::tests {
namespace {

using runtime::SequenceId;
using runtime::Session;
using runtime::Step;

class DeviceFaultsOf : public testing::TestWithParam<const char*> {
  protected:
    // All that sessions ask of a device: steps of each program, a page that two sequences had, logits.
    void use(DeviceFaults& faults) const {
        const auto session =
            Session::open(plan, make_faulty_device(inner, faults), {.queue = {.threads = 1}});
        const SequenceId a = session->create_sequence();
        session->prefill(a, Ids{1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12});
        const SequenceId b = session->fork(a);
        session->decode(a, 1);
        session->decode(std::array{Step{a, 2}, Step{b, 3}});
        session->logits(1);
        session->logits_for_all(a, Ids{5, 6, 7}, [](std::uint32_t, std::span<const float>) {});
    }

    const std::shared_ptr<runtime::Device> inner = runtime::open_device(GetParam());
    const std::shared_ptr<const runtime::PlanFile> plan = small_plan();
};

TEST_P(DeviceFaultsOf, EveryCallThatFailsIsOneErrorAndEverythingIsGivenBack) {
    DeviceFaults clean;
    use(clean);
    ASSERT_GT(clean.calls, 40);
    for (const bool lost : {false, true})
        for (long n = 1; n <= clean.calls; ++n) {
            DeviceFaults faults{.fail_at = n, .lost = lost};
            SCOPED_TRACE(n);
            try {
                use(faults);
                FAIL() << "an error was overlooked";
            } catch (const runtime::Error& e) {
                EXPECT_THAT(e.what(), testing::HasSubstr("on purpose"));
            }
            EXPECT_EQ(faults.live, 0);
            EXPECT_EQ(inner->allocations().live, 0U);
        }
}

TEST_P(DeviceFaultsOf, AStepThatFailsCanBeDoneAgain) {
    DeviceFaults faults;
    const auto session = Session::open(plan, make_faulty_device(inner, faults), {.queue = {.threads = 1}});
    const SequenceId a = session->create_sequence(), b = session->create_sequence();
    const Ids prompt = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10};
    session->prefill(a, prompt);
    session->prefill(b, Ids{7, 8, 9});
    session->decode(a, 3);
    const Logits before(session->logits(0).begin(), session->logits(0).end());
    session->truncate(a, 10);
    // Each call of a step fails in turn, until the step has no more of them.
    long failed = 0;
    for (bool done = false; !done; ++failed) {
        faults.fail_at = faults.calls + 1 + failed;
        try {
            session->decode(std::array{Step{a, 3}, Step{b, 4}});
            done = true;
        } catch (const runtime::Error&) {
            EXPECT_EQ(session->length(a), 10U);
            EXPECT_EQ(session->length(b), 3U);
        }
    }
    EXPECT_GT(failed, 4);
    faults.fail_at = 0;
    session->truncate(a, 10);
    session->decode(a, 3);
    const Logits after(session->logits(0).begin(), session->logits(0).end());
    EXPECT_EQ(after, before);
}

INSTANTIATE_TEST_SUITE_P(Devices, DeviceFaultsOf, testing::Values("null", "host"),
                         [](const auto& test) { return std::string(test.param); });

} // namespace
} // namespace ingot::tests
