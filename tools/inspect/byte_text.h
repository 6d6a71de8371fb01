// Numbers of bytes for people.
#pragma once

#include <cstdint>
#include <string>

namespace ingot::tools {

// "512 B", "3.4 KiB", "92.3 MiB", "1.5 GiB"
std::string byte_text(uint64_t bytes);

} // namespace ingot::tools
