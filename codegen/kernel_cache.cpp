#include "codegen/kernel_cache.h"

#include <algorithm>
#include <cstdlib>
#include <fstream>

#include <fmt/format.h>

#include "codegen/kernel_key.h"
#include "ir/error.h"
#include "runtime/error.h"
#include "runtime/new_file.h"

namespace ingot::codegen {

namespace {

namespace fs = std::filesystem;

constexpr std::string_view magic = "INGOTKRN";
constexpr std::string_view suffix = ".kernel";
constexpr size_t key_digits = 64;
constexpr size_t digest_bytes = 32;

// An entry is the magic, the key, the SHA-256 of the object, and the object, to the end of the file.
constexpr size_t header_bytes = magic.size() + key_digits + digest_bytes;

std::optional<std::string> read_file(const fs::path& path) {
    std::ifstream in(path, std::ios::binary);
    if (!in) return std::nullopt;
    std::string bytes((std::istreambuf_iterator<char>(in)), {});
    if (in.bad()) return std::nullopt;
    return bytes;
}

} // namespace

fs::path default_cache_directory() {
    if (const char* xdg = std::getenv("XDG_CACHE_HOME"); xdg != nullptr && *xdg == '/')
        return fs::path(xdg) / "ingot";
    if (const char* home = std::getenv("HOME"); home != nullptr && *home == '/')
        return fs::path(home) / ".cache/ingot";
    throw ir::Error("cache", "neither XDG_CACHE_HOME nor HOME says where it is; give a folder");
}

KernelCache::KernelCache(fs::path directory) : directory_(std::move(directory)) {}

fs::path KernelCache::entry(std::string_view key) const {
    return directory_ / "kernels" / key.substr(0, 2) / fmt::format("{}{}", key, suffix);
}

std::optional<std::string> KernelCache::load(std::string_view key) const {
    const fs::path path = entry(key);
    std::optional<std::string> bytes = read_file(path);
    if (!bytes) return std::nullopt;
    const std::string_view all = *bytes;
    if (all.size() > header_bytes && all.starts_with(magic) && all.substr(magic.size(), key_digits) == key &&
        all.substr(magic.size() + key_digits, digest_bytes) == sha256(all.substr(header_bytes)))
        return bytes->substr(header_bytes);
    std::error_code ignored;
    fs::remove(path, ignored);
    return std::nullopt;
}

bool KernelCache::store(std::string_view key, std::string_view object) const {
    const fs::path path = entry(key);
    std::error_code error;
    fs::create_directories(path.parent_path(), error);
    if (error) return false;
    const std::string digest = sha256(object);
    const std::string_view parts[] = {magic, key, digest, object};
    try {
        runtime::write_new_file(path, parts);
        return true;
    } catch (const runtime::Error&) {
        return false;
    }
}

std::vector<CacheEntry> KernelCache::list() const {
    std::vector<CacheEntry> entries;
    std::error_code error;
    for (fs::recursive_directory_iterator at(directory_ / "kernels", error), end; !error && at != end;
         at.increment(error)) {
        std::error_code vanished;
        const fs::path& path = at->path();
        if (!at->is_regular_file(vanished) || path.extension() != suffix) continue;
        const uint64_t size = at->file_size(vanished);
        if (!vanished) entries.push_back({.key = path.stem().string(), .path = path, .bytes = size});
    }
    std::sort(entries.begin(), entries.end(), [](const auto& a, const auto& b) { return a.key < b.key; });
    return entries;
}

uint64_t KernelCache::bytes() const {
    uint64_t total = 0;
    for (const char* part : {"kernels", "failed"}) {
        std::error_code error;
        for (fs::recursive_directory_iterator at(directory_ / part, error), end; !error && at != end;
             at.increment(error)) {
            std::error_code vanished;
            if (!at->is_regular_file(vanished)) continue;
            const uint64_t size = at->file_size(vanished);
            if (!vanished) total += size;
        }
    }
    return total;
}

uint64_t KernelCache::clear() const {
    const uint64_t before = bytes();
    std::error_code error;
    for (const char* part : {"kernels", "failed"})
        fs::remove_all(directory_ / part, error);
    return before - std::min(before, bytes());
}

} // namespace ingot::codegen
