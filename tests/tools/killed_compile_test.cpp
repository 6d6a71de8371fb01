// `ingot compile` killed at random moments: the cache stays usable, and what is left behind does not grow.
#include <chrono>
#include <csignal>
#include <random>
#include <sys/wait.h>
#include <thread>

#include "runtime/plan_file.h"
#include "tests/tools/model_file.h"
#include "tests/tools/process.h"

namespace ingot::tools::test {
namespace {

namespace fs = std::filesystem;

class KilledCompile : public Tool {
  protected:
    void SetUp() override {
        Tool::SetUp();
        if (!can_compile()) GTEST_SKIP() << "no compile worker in this build";
    }

    std::string tiny() const {
        const fs::path model = folder / "model.gguf";
        write_file(model, bytes_of(tiny_model()));
        return model.string();
    }

    Ended run(const std::string& model) const {
        return ingot({"run", model, "-p", "Once upon a time", "-n", "4", "--temp", "0"});
    }

    // Every plan in the cache is whole; returns how many files there are which are no plan, kernel or memo.
    size_t check_cache() const {
        size_t leftovers = 0;
        for (const auto& entry : fs::recursive_directory_iterator(cache)) {
            if (!entry.is_regular_file()) continue;
            const fs::path kind = entry.path().extension();
            if (kind == ".ingot") {
                EXPECT_NO_THROW(runtime::PlanFile::open(entry.path())->verify_weights()) << entry.path();
            } else if (kind != ".kernel" && kind != ".json") {
                ++leftovers;
            }
        }
        return leftovers;
    }

    // Kills `kills` compiles, with an empty cache and with one that has the kernels already by turns, each
    // at a random moment of the time that a whole one takes; looks each time at what is left and at what the
    // next call makes of it.
    void kill_compiles(const std::string& model, int kills) const {
        using Clock = std::chrono::steady_clock;
        const auto time_of_run = [&](std::string& out) {
            const auto start = Clock::now();
            const Ended ended = run(model);
            EXPECT_EQ(ended.code, 0) << ended.err;
            out = ended.out;
            return Clock::now() - start;
        };
        const auto forget = [&](bool kernels) {
            fs::remove_all(kernels ? cache : cache / "ingot" / "plans");
        };
        std::string expected, again;
        Clock::duration whole = time_of_run(expected);
        forget(false);
        Clock::duration with_kernels = time_of_run(again);
        EXPECT_EQ(again, expected);

        const auto seed = std::random_device{}();
        SCOPED_TRACE(seed);
        std::mt19937 random(seed);
        std::uniform_real_distribution<double> part(0, 1);
        int killed = 0, faster = 0;
        while (killed < kills) {
            const bool from_nothing = (killed + faster) % 2 == 0;
            Clock::duration& usual = from_nothing ? whole : with_kernels;
            forget(from_nothing);
            const pid_t process = start({"compile", model});
            const Clock::duration moment = std::chrono::duration_cast<Clock::duration>(usual * part(random));
            std::this_thread::sleep_for(moment);
            kill(process, SIGKILL);
            int status = 0;
            ASSERT_EQ(waitpid(process, &status, 0), process);
            if (exit_code(status) == -SIGKILL) {
                ++killed;
            } else {
                // The machine was busier when the time was taken.
                usual = std::min(usual, moment);
                ASSERT_LT(++faster, 2 * kills + 20) << "compiling ends before it can be killed";
            }
            if (fs::exists(cache)) {
                EXPECT_LE(check_cache(), 1U) << "kill " << killed;
            }
            const Ended after = run(model);
            ASSERT_EQ(after.code, 0) << "kill " << killed << ": " << after.err;
            ASSERT_EQ(after.out, expected) << "kill " << killed;
            EXPECT_LE(check_cache(), 1U) << "kill " << killed;
        }
        std::printf("%d compiles were killed before their end, %d were faster\n", killed, faster);
    }
};

TEST_F(KilledCompile, OfATinyModel) {
    kill_compiles(tiny(), 8);
}

TEST_F(KilledCompile, OfTheRealModel) {
    if (!fs::exists(INGOT_MODEL)) GTEST_SKIP() << "no model: give CMake -DINGOT_MODEL=FILE (tools/setup)";
    kill_compiles(INGOT_MODEL, 4);
}

// For people: test_tools --gtest_also_run_disabled_tests --gtest_filter='*TwoHundredTimes*'
TEST_F(KilledCompile, DISABLED_TwoHundredTimesOfATinyModel) {
    kill_compiles(tiny(), 200);
}

TEST_F(KilledCompile, DISABLED_TwoHundredTimesOfTheRealModel) {
    if (!fs::exists(INGOT_MODEL)) GTEST_SKIP() << "no model: give CMake -DINGOT_MODEL=FILE (tools/setup)";
    kill_compiles(INGOT_MODEL, 200);
}

} // namespace
} // namespace ingot::tools::test
