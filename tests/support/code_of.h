// What the runtime says of a fault.
#pragma once

#include <string>

#include <gtest/gtest.h>

#include "runtime/error.h"

namespace ingot::runtime {

// The code of the error that `call` throws; the test fails where it throws none, or one of several lines.
template <class F>
Code code_of(F&& call) {
    try {
        call();
    } catch (const Error& e) {
        EXPECT_EQ(std::string(e.what()).find('\n'), std::string::npos);
        return e.code();
    }
    ADD_FAILURE() << "no error";
    return Code{};
}

} // namespace ingot::runtime
