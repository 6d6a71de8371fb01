// The real model's graphs, for tests that need them.
#pragma once

#include <filesystem>
#include <optional>

#include <gtest/gtest.h>

#include "frontend/import.h"

namespace ingot::tests {

class RealModel : public testing::Test {
  protected:
    void SetUp() override {
        if (!std::filesystem::exists(INGOT_MODEL))
            GTEST_SKIP() << "no model: give CMake -DINGOT_MODEL=FILE (tools/setup)";
        file_.emplace(frontend::gguf::File::open(INGOT_MODEL));
        model_ = frontend::import_model(*file_);
    }

    std::optional<frontend::gguf::File> file_;
    frontend::Model model_; // decode, prefill, head; imported
};

} // namespace ingot::tests
