#include "runtime/posix_file.h"

#include "runtime/error.h"

#include <algorithm>
#include <cerrno>
#include <system_error>
#include <utility>

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

namespace ingot::runtime {
namespace {

// Linux transfers at most about 2 GiB a call.
constexpr std::size_t most_per_call = std::size_t{1} << 30;

} // namespace

Descriptor& Descriptor::operator=(Descriptor&& other) noexcept {
    if (this != &other) {
        reset();
        number_ = other.release();
    }
    return *this;
}

int Descriptor::release() {
    return std::exchange(number_, -1);
}

void Descriptor::reset() {
    if (number_ >= 0) ::close(std::exchange(number_, -1));
}

void throw_io(const std::string& where, const std::string& what, int error_number) {
    throw Error(Code::io, where, fmt::format("{}: {}", what, std::generic_category().message(error_number)));
}

Descriptor open_for_reading(const std::filesystem::path& path) {
    // Without O_NONBLOCK, opening a FIFO would wait for a writer.
    Descriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
    if (!file) throw_io(path.string(), "can't be opened", errno);
    struct stat status = {};
    if (::fstat(file.get(), &status) != 0) throw_io(path.string(), "can't be examined", errno);
    if (!S_ISREG(status.st_mode)) throw Error(Code::bad_file, path.string(), "is not a file");
    return file;
}

std::uint64_t size_of(int descriptor, const std::string& where) {
    struct stat status = {};
    if (::fstat(descriptor, &status) != 0) throw_io(where, "can't be examined", errno);
    return static_cast<std::uint64_t>(status.st_size);
}

void read_at(int descriptor, std::uint64_t offset, std::span<std::byte> data, const std::string& where) {
    while (!data.empty()) {
        const ssize_t got = ::pread(descriptor, data.data(), std::min(data.size(), most_per_call),
                                    static_cast<off_t>(offset));
        if (got < 0 && errno == EINTR) continue;
        if (got < 0) throw_io(where, "can't be read", errno);
        if (got == 0) throw Error(Code::bad_file, where, "the file ends early");
        data = data.subspan(static_cast<std::size_t>(got));
        offset += static_cast<std::uint64_t>(got);
    }
}

void write_at(int descriptor, std::uint64_t offset, std::span<const std::byte> data,
              const std::string& where) {
    while (!data.empty()) {
        const ssize_t put = ::pwrite(descriptor, data.data(), std::min(data.size(), most_per_call),
                                     static_cast<off_t>(offset));
        if (put < 0 && errno == EINTR) continue;
        if (put < 0) throw_io(where, "can't be written", errno);
        data = data.subspan(static_cast<std::size_t>(put));
        offset += static_cast<std::uint64_t>(put);
    }
}

} // namespace ingot::runtime
