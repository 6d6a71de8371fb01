// What `ingot inspect` says of a GGUF file.
#pragma once

#include <string>

#include <nlohmann/json_fwd.hpp>

#include "frontend/gguf/reader.h"

namespace ingot::tools {

std::string text_summary(const frontend::gguf::File& file, bool all_tensors);
nlohmann::json json_summary(const frontend::gguf::File& file);

} // namespace ingot::tools
