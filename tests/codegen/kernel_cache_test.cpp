// The cache of compiled kernels, and the key that it goes by.
#include <gtest/gtest.h>

#include <csignal>
#include <filesystem>
#include <fstream>
#include <random>
#include <sys/wait.h>
#include <thread>
#include <unistd.h>

#include <fmt/format.h>

#include "codegen/kernel_cache.h"
#include "codegen/kernel_key.h"
#include "runtime/host_abi.h"

namespace ingot::codegen {
namespace {

namespace fs = std::filesystem;

class KernelCacheTest : public testing::Test {
  protected:
    void SetUp() override {
        std::string pattern = testing::TempDir() + "/ingot-cache-XXXXXX";
        ASSERT_NE(mkdtemp(pattern.data()), nullptr);
        folder = pattern;
    }
    void TearDown() override { fs::remove_all(folder); }

    static std::string key(int i) { return sha256_hex(fmt::format("key {}", i)); }
    static std::string object(int i) { return fmt::format("object {} {}", i, std::string(5000, 'x')); }

    fs::path folder;
};

TEST_F(KernelCacheTest, GivesBackWhatWasStored) {
    const KernelCache cache(folder / "new" / "cache");
    EXPECT_FALSE(cache.load(key(1)));
    EXPECT_TRUE(cache.list().empty());
    EXPECT_FALSE(fs::exists(folder / "new")) << "looking makes nothing";
    ASSERT_TRUE(cache.store(key(1), object(1)));
    ASSERT_TRUE(cache.store(key(2), object(2)));
    EXPECT_EQ(cache.load(key(1)), object(1));
    EXPECT_EQ(cache.load(key(2)), object(2));
    ASSERT_EQ(cache.list().size(), 2u);
    EXPECT_LT(cache.list()[0].key, cache.list()[1].key);
    EXPECT_EQ(cache.bytes(), cache.list()[0].bytes + cache.list()[1].bytes);
    const uint64_t bytes = cache.bytes();
    EXPECT_GT(bytes, object(1).size() + object(2).size());
    EXPECT_EQ(cache.clear(), bytes);
    EXPECT_TRUE(cache.list().empty());
    EXPECT_FALSE(cache.load(key(1)));
}

TEST_F(KernelCacheTest, EveryDamagedByteIsNoticed) {
    const KernelCache cache(folder);
    ASSERT_TRUE(cache.store(key(1), "short object"));
    const fs::path path = cache.list().front().path;
    std::string whole;
    {
        std::ifstream in(path, std::ios::binary);
        whole.assign(std::istreambuf_iterator<char>(in), {});
    }
    const auto put = [&](const std::string& bytes) {
        std::ofstream(path, std::ios::binary | std::ios::trunc) << bytes;
    };
    for (size_t i = 0; i < whole.size(); ++i) {
        std::string changed = whole;
        changed[i] = static_cast<char>(changed[i] ^ 1);
        put(changed);
        EXPECT_FALSE(cache.load(key(1))) << "byte " << i;
        EXPECT_FALSE(fs::exists(path)) << "a bad entry goes";
        put(whole.substr(0, i));
        EXPECT_FALSE(cache.load(key(1))) << "cut at " << i;
    }
    put(whole + "x");
    EXPECT_FALSE(cache.load(key(1)));
    put(whole);
    EXPECT_EQ(cache.load(key(1)), "short object");
    // The right bytes under another key's name are not that key's kernel.
    const fs::path other = path.parent_path().parent_path() / key(2).substr(0, 2) / (key(2) + ".kernel");
    fs::create_directories(other.parent_path());
    fs::copy_file(path, other);
    EXPECT_FALSE(cache.load(key(2)));
}

TEST_F(KernelCacheTest, AFolderThatCantBeWrittenIsNoDisaster) {
    std::ofstream(folder / "file") << "not a folder";
    const KernelCache cache(folder / "file");
    EXPECT_FALSE(cache.store(key(1), object(1)));
    EXPECT_FALSE(cache.load(key(1)));
    EXPECT_TRUE(cache.list().empty());
    EXPECT_EQ(cache.clear(), 0u);
}

TEST_F(KernelCacheTest, ManyWritersAtOnce) {
    const auto work = [&] {
        const KernelCache cache(folder);
        for (int i = 0; i < 50; ++i) {
            cache.store(key(i), object(i));
            EXPECT_EQ(cache.load(key(i)).value_or(object(i)), object(i));
        }
    };
    {
        std::vector<std::jthread> threads;
        for (int i = 0; i < 4; ++i)
            threads.emplace_back(work);
    }
    EXPECT_EQ(KernelCache(folder).list().size(), 50u);
}

// Whatever moment a writer dies at, the next reader finds a whole entry or none.
TEST_F(KernelCacheTest, SurvivesKilledWriters) {
    std::mt19937 random(std::random_device{}());
    const KernelCache cache(folder);
    for (int round = 0; round < 40; ++round) {
        const pid_t child = fork();
        ASSERT_GE(child, 0);
        if (child == 0) {
            for (int i = 0;; ++i)
                cache.store(key(i % 8), object(i % 8));
        }
        usleep(std::uniform_int_distribution<useconds_t>(0, 3000)(random));
        kill(child, SIGKILL);
        waitpid(child, nullptr, 0);
        for (int i = 0; i < 8; ++i)
            ASSERT_EQ(cache.load(key(i)).value_or(object(i)), object(i));
    }
    // What the dead left behind is counted, and cleared.
    cache.clear();
    EXPECT_EQ(cache.bytes(), 0u);
}

CompileRequest some_request() {
    return {.name = "name",
            .source = "source",
            .headers = {{"a.h", "text a"}, {"b.h", "text b"}},
            .flags = {"-O3", "-g"},
            .emit = Emit::object};
}

TEST(KernelKey, DependsOnEverythingButTheName) {
    const Target& v3 = target_from_name("x86-64-v3");
    const std::string base = kernel_key(some_request(), v3, "clang 22");
    EXPECT_EQ(base.size(), 64u);
    CompileRequest r = some_request();
    r.name = "another";
    EXPECT_EQ(kernel_key(r, v3, "clang 22"), base);

    const auto differs = [&](auto change) {
        CompileRequest changed = some_request();
        change(changed);
        EXPECT_NE(kernel_key(changed, v3, "clang 22"), base);
    };
    differs([](CompileRequest& c) { c.source += " "; });
    differs([](CompileRequest& c) { c.headers[1].text += " "; });
    differs([](CompileRequest& c) { c.headers[1].name = "c.h"; });
    differs([](CompileRequest& c) { c.headers.pop_back(); });
    differs([](CompileRequest& c) { c.flags[1] = "-g0"; });
    differs([](CompileRequest& c) { c.flags.pop_back(); });
    differs([](CompileRequest& c) { // the same characters, parted elsewhere
        c.headers[0] = {"a.ht", "ext a"};
    });
    differs([](CompileRequest& c) { c.flags = {"-O3-g"}; });
    EXPECT_NE(kernel_key(some_request(), target_from_name("x86-64-v4"), "clang 22"), base);
    EXPECT_NE(kernel_key(some_request(), v3, "clang 23"), base);
}

// The bytes that are hashed are documented; another program must get the same key.
TEST(KernelKey, IsTheDocumentedDigest) {
    const Target target{.name = "t", .row = "row"};
    const CompileRequest r{
        .name = "n", .source = "s", .headers = {{"h", "x"}}, .flags = {"-f"}, .emit = Emit::object};
    std::string bytes;
    for (const std::string& part :
         {std::string("ingot kernel key 1"), std::string("s"), std::string("1"), std::string("h"),
          std::string("x"), std::string("1"), std::string("-f"), std::string("row"), std::string("c"),
          std::to_string(ingot_host::abi_version)}) {
        bytes += static_cast<char>(part.size());
        bytes += std::string(7, '\0') + part;
    }
    EXPECT_EQ(kernel_key(r, target, "c"), sha256_hex(bytes));
    EXPECT_EQ(sha256_hex("abc"), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
}

} // namespace
} // namespace ingot::codegen
