// Devices by their names.
#include "runtime/open_device.h"

#include "runtime/error.h"
#include "tests/support/code_of.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace ingot::runtime {
namespace {

using testing::HasSubstr;

TEST(OpenDevice, NamesOfFurtherCardsAreNumbers) {
    for (const char* name :
         {"hip:", "hip:x", "hip:1x", "hip:-1", "hip 1", "hip1", "cuda:99999", "host:1", "null:0", ""})
        EXPECT_EQ(code_of([&] { open_device(name); }), Code::invalid_argument) << name;
}

TEST(OpenDevice, TheHostTakesThreadsWithinReason) {
    const auto device = open_device("host");
    EXPECT_GE(device->open_queue({})->threads(), 1U);
    EXPECT_EQ(code_of([&] { device->open_queue({.threads = 1U << 20}); }), Code::invalid_argument);
}

TEST(OpenDevice, NamesTheKnownOnes) {
    EXPECT_GE(available_devices().size(), 1U);
    try {
        open_device("toaster");
        FAIL();
    } catch (const Error& e) {
        EXPECT_EQ(e.code(), Code::invalid_argument);
        EXPECT_THAT(e.what(), HasSubstr("toaster"));
        EXPECT_THAT(e.what(), HasSubstr("host"));
    }
}

} // namespace
} // namespace ingot::runtime
