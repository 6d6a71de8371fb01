// A tiny model that talks: random weights, and a token for every byte.
#pragma once

#include <filesystem>
#include <string>

#include "ir/element.h"
#include "tests/frontend/gguf_builder.h"

namespace ingot::tools::test {

inline constexpr int32_t end_token = 257; // <|end|>, of 258

frontend::test::GgufBuilder tiny_model(ir::Element matrices = ir::Element::q8_0);
std::string bytes_of(const frontend::test::GgufBuilder& model);

} // namespace ingot::tools::test
