// What was once found out about a file at some cost, kept for as long as the file stays as it is.
#pragma once

#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

namespace ingot::tools {

// `compute()`, or what it returned the last time: kept in `cache`/memo under `what` and the file's path, and
// used only while its device, inode, size, and times of modification and change are the same. A file that was
// changed within the last two seconds is not remembered, because a second change might not show. A cache that
// can't be written costs time, nothing else. Throws Failure{bad_input} for a file that isn't there.
std::string memoised(const std::filesystem::path& cache, const std::filesystem::path& file,
                     std::string_view what, const std::function<std::string()>& compute);

// What `memoised` would return without computing it.
std::optional<std::string> remembered(const std::filesystem::path& cache, const std::filesystem::path& file,
                                      std::string_view what);

} // namespace ingot::tools
