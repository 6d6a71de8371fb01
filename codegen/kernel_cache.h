// Compiled kernels on disk, by key. Several processes may use one cache at once, and any of them may die at
// any moment: an entry is written under another name and moved into place, and carries a checksum.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace ingot::codegen {

// $XDG_CACHE_HOME/ingot, else ~/.cache/ingot. Throws ir::Error where neither is known.
std::filesystem::path default_cache_directory();

struct CacheEntry {
    std::string key;
    std::filesystem::path path;
    uint64_t bytes = 0;
};

class KernelCache {
  public:
    // Entries lie in `directory`/kernels. Nothing is created before the first store.
    explicit KernelCache(std::filesystem::path directory);

    const std::filesystem::path& directory() const { return directory_; }
    // The object of that key; nullopt if there is none, or if the entry is damaged (it is removed then).
    std::optional<std::string> load(std::string_view key) const;
    // False where the disk is full or can't be written: the kernel can be used all the same.
    bool store(std::string_view key, std::string_view object) const;
    // Where the source and the log of a kernel that failed to compile are kept; may not exist.
    std::filesystem::path failures() const { return directory_ / "failed"; }

    std::vector<CacheEntry> list() const; // sorted by key
    uint64_t bytes() const;               // of all entries, failures and leftovers
    // Removes all entries, failures and leftovers of processes that died; returns the bytes set free.
    uint64_t clear() const;

  private:
    std::filesystem::path entry(std::string_view key) const;

    std::filesystem::path directory_;
};

} // namespace ingot::codegen
