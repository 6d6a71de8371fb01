#include "frontend/mapped_file.h"

#include "ir/error.h"

#include <cerrno>
#include <cstdint>
#include <cstring>
#include <utility>

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

namespace ingot::frontend {
namespace {

// The descriptor is needed only until the mapping stands.
class Descriptor {
  public:
    explicit Descriptor(int fd) : fd_(fd) {}
    Descriptor(const Descriptor&) = delete;
    Descriptor& operator=(const Descriptor&) = delete;
    ~Descriptor() {
        if (fd_ >= 0) ::close(fd_);
    }
    int get() const { return fd_; }

  private:
    int fd_;
};

[[noreturn]] void fail(const std::string& path, const char* what, int error) {
    throw ir::Error(path, std::string(what) + ": " + std::strerror(error));
}

} // namespace

MappedFile MappedFile::open(const std::string& path) {
    // O_NONBLOCK, because opening a pipe would otherwise wait for a writer before we could see what it is.
    const Descriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
    if (file.get() < 0) fail(path, "cannot open the file", errno);

    struct stat status{};
    if (::fstat(file.get(), &status) != 0) fail(path, "cannot read the file's size", errno);
    if (S_ISDIR(status.st_mode)) throw ir::Error(path, "is a directory; name a file");
    if (!S_ISREG(status.st_mode)) throw ir::Error(path, "is not a regular file, so it cannot be mapped");
    if (status.st_size == 0) throw ir::Error(path, "the file is empty");
    if (static_cast<uint64_t>(status.st_size) > SIZE_MAX) fail(path, "cannot map the file", EFBIG);

    const auto size = static_cast<size_t>(status.st_size);
    void* address = ::mmap(nullptr, size, PROT_READ, MAP_PRIVATE, file.get(), 0);
    if (address == MAP_FAILED) fail(path, "cannot map the file", errno);
    return MappedFile(path, {static_cast<const std::byte*>(address), size});
}

MappedFile::MappedFile(std::string path, std::span<const std::byte> bytes)
    : path_(std::move(path)), bytes_(bytes) {}

MappedFile::MappedFile(MappedFile&& other) noexcept
    : path_(std::move(other.path_)), bytes_(std::exchange(other.bytes_, {})) {}

MappedFile& MappedFile::operator=(MappedFile&& other) noexcept {
    std::swap(path_, other.path_);
    std::swap(bytes_, other.bytes_);
    return *this;
}

MappedFile::~MappedFile() {
    if (!bytes_.empty()) ::munmap(const_cast<std::byte*>(bytes_.data()), bytes_.size());
}

} // namespace ingot::frontend
