// Where a command's result goes.
#pragma once

#include <filesystem>
#include <string_view>

namespace ingot::tools {

// To the file, which appears when it is complete and replaces what was there; or to standard output, where
// `path` is empty or "-". Throws Failure{failed} with the system's reason.
void write_output(const std::filesystem::path& path, std::string_view text);

} // namespace ingot::tools
