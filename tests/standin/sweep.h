// A scenario is run again and again, and each time another call of it fails.
#pragma once

#include "runtime/error.h"
#include "tests/standin/control.h"

#include <functional>
#include <set>
#include <string>

#include <gtest/gtest.h>

namespace ingot::standin {

// For N = 1, 2, ... up to as many such calls as a run without faults has, the driver is told "FAULT@N" and
// the scenario runs. Where that call failed, the run has to end in one error of one line, whose code is among
// `codes`; each time, everything has to be given back and no rule of the driver broken, and no failed call
// may go unnoticed until `done()`, which the scenario calls when its work is over and only what it holds is
// left. Returns how many calls failed.
inline long sweep(const Control& driver, const std::string& fault, const std::set<runtime::Code>& codes,
                  const std::function<void(const std::function<void()>& done)>& scenario) {
    driver.configure("");
    scenario([] {});
    const bool of_all = fault == "any" || fault == "lost";
    const long total = driver.count(of_all ? "calls" : fault == "fault" ? "kernels" : fault.c_str());
    long failed = 0;
    for (long n = 1; n <= total && !testing::Test::HasFailure(); ++n) {
        const std::string what = fault + "@" + std::to_string(n);
        SCOPED_TRACE(what);
        driver.configure(what);
        bool finished = false;
        try {
            scenario([&] {
                finished = true;
                EXPECT_EQ(driver.count("refused"), 0) << "an error was overlooked";
            });
        } catch (const runtime::Error& e) {
            ++failed;
            EXPECT_FALSE(finished);
            EXPECT_TRUE(codes.contains(e.code())) << e.what();
            EXPECT_EQ(std::string(e.what()).find('\n'), std::string::npos) << e.what();
            EXPECT_GT(driver.count("refused"), 0) << e.what();
        }
        EXPECT_EQ(driver.count("live"), 0);
        EXPECT_EQ(driver.misuse(), "");
    }
    return failed;
}

} // namespace ingot::standin
