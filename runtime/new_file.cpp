#include "runtime/new_file.h"

#include <cerrno>
#include <cstdio>
#include <random>

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

namespace ingot::runtime {
namespace {

namespace fs = std::filesystem;

constexpr mode_t permissions = 0666; // less the user's umask

std::string prefix_of(const fs::path& target) {
    return fmt::format(".{}.", target.filename().string());
}

constexpr std::string_view suffix = ".part";

fs::path temporary_name(const fs::path& folder, const fs::path& target) {
    std::random_device random;
    return folder / fmt::format("{}{:08x}{}", prefix_of(target), random(), suffix);
}

// A lock ends with its process, however that ends.
enum class Lock : std::uint8_t { taken, held_by_another, impossible };
Lock lock(int file) {
    if (::flock(file, LOCK_EX | LOCK_NB) == 0) return Lock::taken;
    return errno == EWOULDBLOCK ? Lock::held_by_another : Lock::impossible;
}

// Removes what killed writers of the same target left. What a living one holds is locked.
void remove_leftovers(const fs::path& folder, const fs::path& target) {
    const std::string prefix = prefix_of(target);
    std::error_code error;
    for (fs::directory_iterator at(folder, error), end; !error && at != end; at.increment(error)) {
        const std::string name = at->path().filename().string();
        if (!name.starts_with(prefix) || !name.ends_with(suffix)) continue;
        const Descriptor file(::open(at->path().c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK));
        if (file && lock(file.get()) == Lock::taken) ::unlink(at->path().c_str());
    }
}

bool has_a_name(int file) {
    struct stat status = {};
    return ::fstat(file, &status) == 0 && status.st_nlink > 0;
}

} // namespace

NewFile::NewFile(fs::path target, Hiding hiding)
    : target_(std::move(target)), folder_(target_.has_parent_path() ? target_.parent_path() : fs::path(".")) {
    if (hiding == Hiding::nameless)
        file_ = Descriptor(::open(folder_.c_str(), O_TMPFILE | O_RDWR | O_CLOEXEC, permissions));
    if (file_) {
        lock(file_.get()); // for the moment in which it has a name of its own
        return;
    }
    remove_leftovers(folder_, target_);
    while (name_.empty()) {
        const fs::path name = temporary_name(folder_, target_);
        file_ = Descriptor(::open(name.c_str(), O_CREAT | O_EXCL | O_RDWR | O_CLOEXEC, permissions));
        if (!file_ && errno == EEXIST) continue;
        if (!file_) throw_io(target_.string(), "can't be created", errno);
        // Another writer may take it for a leftover before it is locked. A file system without locks is lived
        // with: nothing is taken for a leftover there.
        if (lock(file_.get()) != Lock::held_by_another && has_a_name(file_.get())) name_ = name;
    }
}

NewFile::~NewFile() {
    if (!name_.empty()) ::unlink(name_.c_str());
}

void NewFile::reserve(std::uint64_t bytes) {
    const int error = ::posix_fallocate(file_.get(), 0, static_cast<off_t>(bytes));
    if (error != 0) throw_io(target_.string(), fmt::format("no room for {} bytes", bytes), error);
}

void NewFile::move_into_place(bool durable) {
    if (durable && ::fsync(file_.get()) != 0) throw_io(target_.string(), "can't be written", errno);
    const std::string handle = fmt::format("/proc/self/fd/{}", file_.get());
    const auto link_as = [&](const fs::path& name) {
        if (::linkat(AT_FDCWD, handle.c_str(), AT_FDCWD, name.c_str(), AT_SYMLINK_FOLLOW) == 0) return true;
        if (errno != EEXIST) throw_io(target_.string(), "can't be put in place", errno);
        return false;
    };
    // linkat can't replace a file: where there is one, ours gets a name of its own first and is renamed then.
    const bool in_place = name_.empty() && link_as(target_);
    if (!in_place && name_.empty()) {
        remove_leftovers(folder_, target_);
        while (name_.empty()) {
            const fs::path name = temporary_name(folder_, target_);
            if (link_as(name)) name_ = name;
        }
    }
    if (!in_place && std::rename(name_.c_str(), target_.c_str()) != 0)
        throw_io(target_.string(), "can't be put in place", errno);
    name_.clear();
    if (durable) {
        const Descriptor folder(::open(folder_.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
        if (folder) ::fsync(folder.get());
    }
}

void write_new_file(const fs::path& target, std::span<const std::string_view> parts) {
    NewFile file(target);
    std::uint64_t offset = 0;
    for (const std::string_view part : parts) {
        write_at(file.descriptor(), offset, std::as_bytes(std::span(part)), target.string());
        offset += part.size();
    }
    file.move_into_place(false);
}

} // namespace ingot::runtime
