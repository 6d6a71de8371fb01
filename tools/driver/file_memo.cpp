#include "tools/driver/file_memo.h"

#include <cerrno>
#include <cstring>
#include <ctime>
#include <fstream>
#include <optional>

#include <fmt/format.h>
#include <nlohmann/json.hpp>
#include <sys/stat.h>

#include "codegen/kernel_key.h"
#include "runtime/error.h"
#include "runtime/new_file.h"
#include "tools/driver/failure.h"

namespace ingot::tools {

namespace {

namespace fs = std::filesystem;

// What must not have changed.
std::string stamp_of(const struct stat& s) {
    return fmt::format("{} {} {} {}.{:09} {}.{:09}", s.st_dev, s.st_ino, s.st_size, s.st_mtim.tv_sec,
                       s.st_mtim.tv_nsec, s.st_ctim.tv_sec, s.st_ctim.tv_nsec);
}

struct stat status_of(const fs::path& file) {
    struct stat status{};
    if (stat(file.c_str(), &status) != 0)
        throw Failure(ExitCode::bad_input, file.string(), std::strerror(errno));
    return status;
}

std::string absolute_text(const fs::path& file) {
    return fs::absolute(file).lexically_normal().string();
}

fs::path memo_path(const fs::path& cache, const std::string& absolute_path, std::string_view what) {
    return cache / "memo" /
           fmt::format("{}.json", codegen::sha256_hex(fmt::format("{} of {}", what, absolute_path)));
}

std::optional<std::string> read_memo(const fs::path& path, const std::string& stamp) {
    std::ifstream in(path, std::ios::binary);
    const auto memo = nlohmann::json::parse(in, nullptr, false);
    if (!memo.is_object() || !memo.contains("stamp") || memo["stamp"] != stamp) return std::nullopt;
    if (!memo.contains("value") || !memo["value"].is_string()) return std::nullopt;
    return memo["value"].get<std::string>();
}

void write_memo(const fs::path& path, const nlohmann::json& memo) {
    std::error_code error;
    fs::create_directories(path.parent_path(), error);
    const std::string text = memo.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace) + '\n';
    const std::string_view parts[] = {text};
    try {
        runtime::write_new_file(path, parts);
    } catch (const runtime::Error&) { // NOLINT(bugprone-empty-catch): it costs time the next time
    }
}

} // namespace

std::optional<std::string> remembered(const fs::path& cache, const fs::path& file, std::string_view what) {
    return read_memo(memo_path(cache, absolute_text(file), what), stamp_of(status_of(file)));
}

std::string memoised(const fs::path& cache, const fs::path& file, std::string_view what,
                     const std::function<std::string()>& compute) {
    if (auto known = remembered(cache, file, what)) return std::move(*known);
    const std::string before = stamp_of(status_of(file));
    std::string value = compute();
    const struct stat status = status_of(file);
    const std::string after = stamp_of(status), path = absolute_text(file);
    if (after == before && std::time(nullptr) - std::max(status.st_mtim.tv_sec, status.st_ctim.tv_sec) > 2)
        write_memo(memo_path(cache, path, what),
                   {{"what", what}, {"file", path}, {"stamp", after}, {"value", value}});
    return value;
}

} // namespace ingot::tools
