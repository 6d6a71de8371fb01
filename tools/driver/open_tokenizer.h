// The tokenizer of a model or a plan.
#pragma once

#include <filesystem>

#include "runtime/text/tokenizer.h"

namespace ingot::tools {

// Reads the vocabulary alone: a GGUF need not hold a model that this build can run, or any weights.
runtime::Tokenizer open_tokenizer(const std::filesystem::path& model_or_plan);

} // namespace ingot::tools
