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
    } catch (const runtime::Error&) { // it costs time the next time, nothing else
    }
}

} // namespace

std::string memoised(const fs::path& cache, const fs::path& file, std::string_view what,
                     const std::function<std::string()>& compute) {
    struct stat before{};
    if (stat(file.c_str(), &before) != 0)
        throw Failure(ExitCode::bad_input, file.string(), std::strerror(errno));
    const std::string stamp = stamp_of(before), absolute = fs::absolute(file).lexically_normal().string();
    const fs::path memo_path =
        cache / "memo" / fmt::format("{}.json", codegen::sha256_hex(fmt::format("{} of {}", what, absolute)));
    if (auto known = read_memo(memo_path, stamp)) return std::move(*known);

    std::string value = compute();
    struct stat after{};
    const bool unchanged = stat(file.c_str(), &after) == 0 && stamp_of(after) == stamp;
    if (unchanged && std::time(nullptr) - std::max(after.st_mtim.tv_sec, after.st_ctim.tv_sec) > 2)
        write_memo(memo_path, {{"what", what}, {"file", absolute}, {"stamp", stamp}, {"value", value}});
    return value;
}

} // namespace ingot::tools
