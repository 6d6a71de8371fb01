// Plans in the cache: found again, mended, shared by processes, and weights that stay in the model.
#include <filesystem>
#include <sys/resource.h>
#include <sys/wait.h>
#include <thread>
#include <unistd.h>

#include <gmock/gmock.h>
#include <nlohmann/json.hpp>

#include "tests/tools/model_file.h"
#include "tests/tools/process.h"
#include "tools/driver/file_memo.h"

namespace ingot::tools::test {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;
using testing::HasSubstr;

class PlanCache : public Tool {
  protected:
    void SetUp() override {
        Tool::SetUp();
        if (!can_compile()) GTEST_SKIP() << "no compile worker in this build";
        model = (folder / "model.gguf").string();
        write_file(model, bytes_of(tiny_model()));
    }
    Ended run(std::vector<std::string> more = {}) const {
        more.insert(more.begin(), {"run", model, "-p", "x", "-n", "3", "--temp", "0"});
        return ingot(more);
    }
    std::vector<fs::path> files_of_cache(const char* part) const {
        std::vector<fs::path> out;
        if (!fs::exists(cache / "ingot" / part)) return out;
        for (const auto& entry : fs::recursive_directory_iterator(cache / "ingot" / part))
            if (entry.is_regular_file()) out.push_back(entry.path());
        return out;
    }

    std::string model;
};

TEST_F(PlanCache, TheSecondRunFindsThePlan) {
    const Ended first = run();
    ASSERT_EQ(first.code, 0) << first.err;
    EXPECT_THAT(first.err, HasSubstr("compiled for"));
    const Ended second = run();
    EXPECT_THAT(second.err, testing::Not(HasSubstr("compiled for")));
    EXPECT_EQ(second.out, first.out);
    EXPECT_EQ(files_of_cache("plans").size(), 1u);

    // Other settings and another model have plans of their own; the same model under another name has not.
    EXPECT_THAT(run({"--context", "64"}).err, HasSubstr("compiled for"));
    EXPECT_THAT(run({"--precision", "f32"}).err, HasSubstr("compiled for"));
    fs::copy_file(model, folder / "copy.gguf");
    model = (folder / "copy.gguf").string();
    EXPECT_THAT(run().err, testing::Not(HasSubstr("compiled for")));
    write_file(model, bytes_of(tiny_model().u32("llama.context_length", 256)));
    EXPECT_THAT(run().err, HasSubstr("compiled for"));
    EXPECT_EQ(files_of_cache("plans").size(), 4u);
}

TEST_F(PlanCache, ADamagedPlanIsMadeAnew) {
    const Ended first = run();
    const std::vector<fs::path> plans = files_of_cache("plans");
    ASSERT_EQ(plans.size(), 1u);
    const std::string whole = read_file(plans[0]);
    std::string flipped = whole;
    flipped[5000] = static_cast<char>(flipped[5000] ^ 1);
    for (const std::string& bytes : {std::string(), whole.substr(0, whole.size() / 2), flipped}) {
        write_file(plans[0], bytes);
        const Ended again = run();
        EXPECT_EQ(again.code, 0) << again.err;
        EXPECT_THAT(again.err, HasSubstr("compiled for"));
        EXPECT_EQ(again.out, first.out);
        EXPECT_EQ(read_file(plans[0]), whole);
    }
}

TEST_F(PlanCache, ListClearPath) {
    run();
    const json path = json::parse(ingot({"cache", "path", "--json"}).out);
    EXPECT_EQ(path["path"], (cache / "ingot").string());
    const json list = json::parse(ingot({"cache", "list", "--json"}).out);
    ASSERT_EQ(list["plans"].size(), 1u);
    EXPECT_EQ(list["plans"][0]["context"], 128);
    EXPECT_GT(list["kernels"]["count"], 5);
    EXPECT_THAT(ingot({"cache", "list"}).out, HasSubstr("context 128"));
    write_file(files_of_cache("plans").front(), "damaged");
    EXPECT_THAT(ingot({"cache", "list"}).out, HasSubstr("unusable"));
    EXPECT_EQ(ingot({"cache", "clear"}).code, 0);
    EXPECT_TRUE(files_of_cache("").empty());
    EXPECT_EQ(run().code, 0);
    // A folder of one's own.
    const std::string mine = (folder / "mine").string();
    EXPECT_EQ(run({"--cache", mine}).code, 0);
    EXPECT_EQ(json::parse(ingot({"cache", "list", "--json", "--cache", mine}).out)["plans"].size(), 1u);
}

TEST_F(PlanCache, TwoCompilesAtOnceDontHarmEachOther) {
    std::vector<pid_t> processes;
    for (int i = 0; i < 4; ++i)
        processes.push_back(start({"compile", model}));
    for (const pid_t process : processes) {
        int status = -1;
        waitpid(process, &status, 0);
        EXPECT_EQ(exit_code(status), 0);
    }
    EXPECT_EQ(files_of_cache("plans").size(), 1u);
    EXPECT_THAT(run().err, testing::Not(HasSubstr("compiled for")));
}

TEST_F(PlanCache, AFullDiskIsAnErrorAndNoBrokenPlan) {
    if (geteuid() != 0) GTEST_SKIP() << "needs root, to mount a small file system";
    const fs::path small = folder / "small";
    fs::create_directory(small);
    const std::string mount = "mount -t tmpfs -o size=64k none " + small.string() + " 2>/dev/null";
    if (std::system(mount.c_str()) != 0) GTEST_SKIP() << "this system lets nobody mount a file system";
    const Ended ended = ingot({"compile", model, "-o", (small / "model.ingot").string()});
    EXPECT_TRUE(fails_with(ended, 1));
    EXPECT_TRUE(fs::is_empty(small));
    // A cache on it takes what fits, and no part of anything.
    EXPECT_TRUE(fails_with(ingot({"compile", model, "--cache", small.string()}), 1));
    for (const auto& entry : fs::recursive_directory_iterator(small))
        EXPECT_TRUE(entry.is_directory() || entry.path().extension() == ".kernel" ||
                    entry.path().extension() == ".json")
            << entry.path();
    EXPECT_EQ(std::system(("umount " + small.string()).c_str()), 0);
}

TEST_F(PlanCache, AFileSizeLimitIsAnErrorToo) {
    const std::string plan = (folder / "model.ingot").string();
    ASSERT_EQ(ingot({"compile", model}).code, 0) << "the kernels are in the cache then";
    rlimit before{};
    ASSERT_EQ(getrlimit(RLIMIT_FSIZE, &before), 0);
    rlimit small = before;
    small.rlim_cur = 65536;
    ASSERT_EQ(setrlimit(RLIMIT_FSIZE, &small), 0);
    const Ended ended = ingot({"compile", model, "-o", plan});
    ASSERT_EQ(setrlimit(RLIMIT_FSIZE, &before), 0);
    EXPECT_TRUE(fails_with(ended, 1));
    EXPECT_THAT(ended.err, HasSubstr("File too large"));
    for (const auto& entry : fs::directory_iterator(folder))
        EXPECT_NE(entry.path().extension(), ".part");
    EXPECT_FALSE(fs::exists(plan));
}

TEST_F(PlanCache, WeightsThatStayInTheModel) {
    const std::string plan = (folder / "model.ingot").string(), whole = run().out;
    ASSERT_EQ(ingot({"compile", model, "-o", plan, "--weights", "external"}).code, 0);
    const auto run_plan = [&](std::vector<std::string> more = {}) {
        more.insert(more.begin(), {"run", plan, "-p", "x", "-n", "3", "--temp", "0"});
        return ingot(more);
    };
    EXPECT_EQ(run_plan().out, whole);
    const std::string moved = (folder / "moved.gguf").string();
    fs::rename(model, moved);
    const Ended lost = run_plan();
    EXPECT_TRUE(fails_with(lost, 2));
    EXPECT_THAT(lost.err, HasSubstr("give --model"));
    EXPECT_EQ(run_plan({"--model", moved}).out, whole);
    // Of the same size, and yet another.
    std::string other = read_file(moved);
    other.back() = static_cast<char>(other.back() ^ 1);
    write_file(model, other);
    const Ended wrong = run_plan();
    EXPECT_TRUE(fails_with(wrong, 2));
    EXPECT_THAT(wrong.err, HasSubstr("another model"));
}

TEST_F(PlanCache, APlanNeedsNoCompiler) {
    const std::string plan = (folder / "model.ingot").string(), whole = run().out;
    ASSERT_EQ(ingot({"compile", model, "-o", plan}).code, 0);
    fs::remove_all(cache);
    fs::copy_file(binary, folder / "ingot");
    binary = (folder / "ingot").string();
    EXPECT_EQ(ingot({"run", plan, "-p", "x", "-n", "3", "--temp", "0"}).out, whole);
    for (const char* command : {"compile", "verify"}) {
        const Ended ended = ingot({command, model});
        EXPECT_TRUE(fails_with(ended, 1)) << command;
        EXPECT_THAT(ended.err, HasSubstr("ingot-worker"));
    }
    EXPECT_THAT(ingot({"--version"}).out, HasSubstr("llvm none"));
}

TEST(FileMemo, KeepsWhatItFoundWhileTheFileStaysTheSame) {
    std::string pattern = testing::TempDir() + "/ingot-memo-XXXXXX";
    ASSERT_NE(mkdtemp(pattern.data()), nullptr);
    const fs::path folder = pattern, file = folder / "file";
    write_file(file, "one");
    int computed = 0;
    const auto ask = [&](const char* what) {
        return memoised(folder / "cache", file, what, [&] {
            ++computed;
            return read_file(file);
        });
    };
    EXPECT_EQ(ask("text"), "one");
    EXPECT_EQ(ask("text"), "one");
    EXPECT_EQ(computed, 2) << "a file so young might change again unseen";
    std::this_thread::sleep_for(std::chrono::seconds(4));
    for (int i = 0; i < 3; ++i)
        EXPECT_EQ(ask("text"), "one");
    EXPECT_EQ(computed, 3);
    EXPECT_EQ(ask("something else"), "one");
    EXPECT_EQ(computed, 4);
    write_file(file, "two");
    EXPECT_EQ(ask("text"), "two");
    write_file(file, "one");
    fs::remove_all(folder / "cache");
    write_file(folder / "cache", "no folder can be here");
    EXPECT_EQ(ask("text"), "one") << "a cache that can't be written costs time only";
    fs::remove_all(folder);
}

} // namespace
} // namespace ingot::tools::test
