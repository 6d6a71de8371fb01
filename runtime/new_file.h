// A file that appears when it is complete, or not at all: nobody ever sees a part of it, and a process that
// is killed leaves at most one file of a known name, which the next writer of the same file removes.
#pragma once

#include "runtime/posix_file.h"

#include <cstdint>
#include <filesystem>
#include <span>
#include <string>
#include <string_view>

namespace ingot::runtime {

// Where a new file lies until it is complete.
enum class Hiding : std::uint8_t {
    nameless, // it has no name (O_TMPFILE), so a killed writer leaves nothing; `named` where the system can't
    named,    // .NAME.RANDOM.part beside its final place, locked (flock) while its writer lives
};

class NewFile {
  public:
    // Nothing shows at `target`, a file or nothing, before move_into_place. Throws Error{io}.
    explicit NewFile(std::filesystem::path target, Hiding hiding = Hiding::nameless);
    NewFile(const NewFile&) = delete;
    NewFile& operator=(const NewFile&) = delete;
    ~NewFile();

    int descriptor() const { return file_.get(); }
    // Takes the room on the disk now, so that later writes can't find it full. Throws Error{io}.
    void reserve(std::uint64_t bytes);
    // Replaces what is at the target. `durable`: waits until the disk has it, so that a loss of power can't
    // leave a damaged file. Throws Error{io}.
    void move_into_place(bool durable);

  private:
    std::filesystem::path target_, folder_;
    Descriptor file_;
    std::filesystem::path name_; // empty while it has none
};

// All of a file at once; not durable. Throws Error{io}.
void write_new_file(const std::filesystem::path& target, std::span<const std::string_view> parts);

} // namespace ingot::runtime
