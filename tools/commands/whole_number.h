// Options that count something.
#pragma once

#include <cstdint>

#include <CLI/CLI.hpp>

namespace ingot::tools {

// Takes whole numbers from `least` to `most`, and says so where another text is given. CLI11 by itself lets a
// sign and what is too large wrap around in some types, and answers with no hint in others.
CLI::Validator whole_number(uint64_t least = 1, uint64_t most = UINT32_MAX);

} // namespace ingot::tools
