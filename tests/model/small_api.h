// A plan of the small model in a file, opened by the API.
#pragma once

#include "small_session.h"

#include <ingot.hpp>

#include <memory>
#include <string>

#include <gtest/gtest.h>

namespace ingot::tests {

class Api : public testing::Test {
  protected:
    // Compiled once a process; the file is kept open by what is opened from it.
    static void SetUpTestSuite() {
        const TemporaryFile gguf("small.gguf", random_llama(small_model).bytes());
        plan_file = std::make_unique<TemporaryFile>("small.ingot", frontend::test::Bytes());
        compile_model(gguf.path(), {.f32 = true, .import = small_sizes, .cached = true}, plan_file->path());
    }
    static void TearDownTestSuite() { plan_file.reset(); }
    static std::string path() { return plan_file->path().string(); }

    static inline std::unique_ptr<TemporaryFile> plan_file;
};

// Everything that a caller opens, by the C++ API.
struct Opened {
    explicit Opened(const std::string& path)
        : plan(path), tokenizer(plan), model(plan, device), session(model, {.threads = 2}) {}
    Plan plan;
    Device device = Device("host");
    Tokenizer tokenizer;
    Model model;
    Session session;
};

template <class F>
ingot_code code_of(F&& call) {
    try {
        call();
    } catch (const Error& e) {
        EXPECT_NE(std::string(e.what()), "");
        EXPECT_EQ(std::string(e.what()).find('\n'), std::string::npos);
        return e.code();
    }
    return INGOT_OK;
}

} // namespace ingot::tests
