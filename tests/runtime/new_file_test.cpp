// Files that appear whole or not at all, whatever happens to their writer.
#include "runtime/new_file.h"

#include "runtime/error.h"

#include <csignal>
#include <cstdlib>
#include <fstream>
#include <random>
#include <sys/file.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <thread>
#include <vector>

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

namespace ingot::runtime {
namespace {

namespace fs = std::filesystem;

class NewFileTest : public testing::TestWithParam<Hiding> {
  protected:
    void SetUp() override {
        std::string pattern = testing::TempDir() + "/ingot-new-file-XXXXXX";
        ASSERT_NE(mkdtemp(pattern.data()), nullptr);
        folder = pattern;
        target = folder / "target";
    }
    void TearDown() override { fs::remove_all(folder); }

    static void put(const NewFile& file, std::string_view text) {
        write_at(file.descriptor(), 0, std::as_bytes(std::span(text)), "test");
    }
    void write(std::string_view text) const {
        NewFile file(target, GetParam());
        put(file, text);
        file.move_into_place(false);
    }
    std::string content() const {
        std::ifstream in(target, std::ios::binary);
        return {std::istreambuf_iterator<char>(in), {}};
    }
    std::vector<std::string> names() const {
        std::vector<std::string> out;
        for (const auto& entry : fs::directory_iterator(folder))
            out.push_back(entry.path().filename().string());
        return out;
    }

    fs::path folder, target;
};

TEST_P(NewFileTest, AppearsWhenItIsMovedIntoPlace) {
    {
        NewFile file(target, GetParam());
        put(file, "first");
        EXPECT_FALSE(fs::exists(target));
        file.move_into_place(true);
    }
    EXPECT_EQ(content(), "first");
    {
        NewFile file(target, GetParam());
        put(file, "second");
        EXPECT_EQ(content(), "first");
        file.move_into_place(false);
        EXPECT_EQ(content(), "second");
    }
    {
        const NewFile given_up(target, GetParam());
        put(given_up, "third");
    }
    EXPECT_EQ(content(), "second");
    EXPECT_THAT(names(), testing::ElementsAre("target"));
}

TEST_P(NewFileTest, HasThePermissionsOfAnyNewFile) {
    const mode_t before = umask(027);
    write("x");
    umask(before);
    struct stat status = {};
    ASSERT_EQ(stat(target.c_str(), &status), 0);
    EXPECT_EQ(status.st_mode & 0777, 0640u);
}

TEST_P(NewFileTest, WritersOfOneTargetDontHarmEachOther) {
    const auto text = [](char c) { return std::string(100000, c); };
    {
        std::vector<std::jthread> writers;
        for (const char c : {'a', 'b', 'c', 'd'})
            writers.emplace_back([&, c] {
                for (int i = 0; i < 100; ++i)
                    write(text(c));
            });
        for (int i = 0; i < 200; ++i) {
            const std::string seen = content();
            if (!seen.empty()) { // not there yet
                EXPECT_EQ(seen, text(seen[0]));
            }
        }
    }
    EXPECT_THAT(names(), testing::ElementsAre("target"));
}

TEST_P(NewFileTest, KilledWritersLeaveAtMostOneFile) {
    std::mt19937 random(std::random_device{}());
    for (int i = 0; i < 50; ++i) {
        const pid_t writer = fork();
        if (writer == 0) {
            for (;;)
                write(std::string(20000, 'x'));
        }
        usleep(random() % 5000);
        kill(writer, SIGKILL);
        waitpid(writer, nullptr, 0);
        EXPECT_LE(names().size(), 2u);
    }
    write("alive");
    write("still alive");
    EXPECT_EQ(content(), "still alive");
    EXPECT_THAT(names(), testing::ElementsAre("target"));
}

TEST_P(NewFileTest, AFullDiskIsAnErrorThatLeavesNothing) {
    write("before");
    const pid_t child = fork();
    if (child == 0) {
        signal(SIGXFSZ, SIG_IGN);
        const rlimit limit = {.rlim_cur = 10000, .rlim_max = 10000};
        setrlimit(RLIMIT_FSIZE, &limit);
        int errors = 0;
        try {
            NewFile file(target, GetParam());
            file.reserve(20000);
        } catch (const Error& e) {
            errors +=
                e.code() == Code::io && std::string(e.what()).find("no room for 20000") != std::string::npos;
        }
        try {
            write(std::string(20000, 'x'));
        } catch (const Error& e) {
            errors += e.code() == Code::io;
        }
        _exit(errors);
    }
    int status = 0;
    waitpid(child, &status, 0);
    EXPECT_TRUE(WIFEXITED(status));
    EXPECT_EQ(WEXITSTATUS(status), 2);
    EXPECT_EQ(content(), "before");
    EXPECT_THAT(names(), testing::ElementsAre("target"));
}

TEST_P(NewFileTest, LeftoversOfTheDeadGoAndOfTheLivingStay) {
    write("there"); // so that even a nameless file needs a name for a moment
    const fs::path dead = folder / ".target.0.part", living = folder / ".target.1.part",
                   other = folder / ".target2.0.part", user = folder / "target.part";
    for (const fs::path& path : {dead, living, other, user})
        std::ofstream(path) << "x";
    const Descriptor held(open(living.c_str(), O_RDONLY | O_CLOEXEC));
    ASSERT_EQ(flock(held.get(), LOCK_EX), 0);
    write("new");
    EXPECT_EQ(content(), "new");
    EXPECT_THAT(names(),
                testing::UnorderedElementsAre("target", ".target.1.part", ".target2.0.part", "target.part"));
}

INSTANTIATE_TEST_SUITE_P(Both, NewFileTest, testing::Values(Hiding::nameless, Hiding::named),
                         [](const auto& test) {
                             return std::string(test.param == Hiding::named ? "Named" : "Nameless");
                         });

TEST(NewFileErrors, NameTheTargetAndTheReason) {
    const fs::path target = fs::path(testing::TempDir()) / "no" / "such" / "folder";
    try {
        const NewFile file(target);
        FAIL();
    } catch (const Error& e) {
        EXPECT_EQ(e.code(), Code::io);
        EXPECT_EQ(e.where(), target.string());
        EXPECT_THAT(e.what(), testing::EndsWith("can't be created: No such file or directory"));
    }
}

} // namespace
} // namespace ingot::runtime
