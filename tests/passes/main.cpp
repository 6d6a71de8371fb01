// GoogleTest's main with the golden cases, which are files, and with the flag that writes them.
#include <cstring>

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "tests/passes/golden.h"

int main(int argc, char** argv) {
    testing::InitGoogleTest(&argc, argv);
    const bool update = argc == 2 && std::strcmp(argv[1], "--update-golden") == 0;
    if (argc > 1 && !update) {
        fmt::print(stderr, "usage: {} [--update-golden] [GoogleTest's flags]\n", argv[0]);
        return 2;
    }
    if (update) testing::GTEST_FLAG(filter) = "Golden.*";
    ingot::tests::register_golden_tests(INGOT_TEST_DIR "/golden", update);
    return RUN_ALL_TESTS();
}
