// How hipRTC and NVRTC are found.
#include <gtest/gtest.h>

#include <array>
#include <filesystem>
#include <fstream>
#include <unistd.h>

#include "codegen/rtc/library.h"
#include "ir/error.h"

namespace ingot::codegen {
namespace {

namespace fs = std::filesystem;

class LibraryTest : public testing::Test {
  protected:
    void SetUp() override {
        std::string pattern = testing::TempDir() + "/ingot-library-XXXXXX";
        ASSERT_NE(mkdtemp(pattern.data()), nullptr);
        folder = pattern;
    }
    void TearDown() override { fs::remove_all(folder); }

    std::string error(std::span<const std::string_view> names, std::string_view needs) const {
        const std::array<std::string_view, 1> folders = {folder};
        try {
            const Library library(
                "XRTC",
                {.names = names, .folders = folders, .needs = needs, .advice = "install the package x"});
            return library.find(std::string(needs)) != nullptr ? "found" : "found without the function";
        } catch (const ir::Error& e) {
            return e.what();
        }
    }

    std::string folder;
};

TEST_F(LibraryTest, OneThatIsNotThereSaysWhereItWasLookedForAndWhatToInstall) {
    constexpr std::array<std::string_view, 2> names = {"libno-such.so.2", "libno-such.so.1"};
    EXPECT_EQ(
        error(names, "f"),
        "XRTC: is not installed: there is no libno-such.so.2, libno-such.so.1 in the loader's path or " +
            folder + "; install the package x");
}

TEST_F(LibraryTest, ABrokenOneSaysWhy) {
    std::ofstream(folder + "/libbroken-x.so") << "this is no library";
    constexpr std::array<std::string_view, 1> names = {"libbroken-x.so"};
    const std::string message = error(names, "f");
    EXPECT_EQ(message.find("XRTC: can't be loaded: "), 0u) << message;
    EXPECT_NE(message.find(folder + "/libbroken-x.so"), std::string::npos) << message;
    EXPECT_EQ(message.find('\n'), std::string::npos) << message;
}

TEST_F(LibraryTest, OneWithoutTheFunctionIsPassedOver) {
    constexpr std::array<std::string_view, 3> names = {"libno-such.so", "libm.so.6", "libz.so.1"};
    EXPECT_EQ(error(names, "cos"), "found");
    EXPECT_EQ(error(names, "no_such_function").find("XRTC: "), 0u);
    // In libc, which every library depends on: what counts is that it can be called.
    constexpr std::array<std::string_view, 2> second = {"libno-such.so", "libc.so.6"};
    EXPECT_EQ(error(second, "getpid"), "found");
}

TEST_F(LibraryTest, AFolderIsTriedBehindTheLoadersPath) {
    fs::path libm;
    for (const char* path : {"/lib/x86_64-linux-gnu/libm.so.6", "/lib64/libm.so.6", "/usr/lib/libm.so.6"})
        if (fs::exists(path)) libm = path;
    if (libm.empty()) GTEST_SKIP() << "there is no libm.so.6 in the places of a distribution";
    fs::copy_file(fs::canonical(libm), folder + "/libcopy-of-m.so");
    constexpr std::array<std::string_view, 1> names = {"libcopy-of-m.so"};
    EXPECT_EQ(error(names, "cos"), "found");
}

} // namespace
} // namespace ingot::codegen
