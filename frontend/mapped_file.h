// A file's bytes, mapped read-only for as long as the object lives.
#pragma once

#include <cstddef>
#include <span>
#include <string>

namespace ingot::frontend {

// Nothing is copied: pages come from the page cache when they are first touched. The mapping shows the file
// that was opened, even if another takes its name later; a file that is *truncated* while it is mapped kills
// the process with SIGBUS at the next touch, as for every reader that maps files.
class MappedFile {
  public:
    // ir::Error, naming the file and the system's reason, if `path` is not a readable regular file or is
    // empty.
    static MappedFile open(const std::string& path);

    MappedFile(MappedFile&& other) noexcept;
    MappedFile& operator=(MappedFile&& other) noexcept;
    ~MappedFile();

    const std::string& path() const { return path_; }
    std::span<const std::byte> bytes() const { return bytes_; } // starts on a page boundary

  private:
    MappedFile(std::string path, std::span<const std::byte> bytes);

    std::string path_;
    std::span<const std::byte> bytes_;
};

} // namespace ingot::frontend
