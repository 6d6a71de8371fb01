// File descriptors with an owner, and whole reads and writes with the error in words.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <span>
#include <string>

namespace ingot::runtime {

// Owns a descriptor.
class Descriptor {
  public:
    Descriptor() = default;
    explicit Descriptor(int number) : number_(number) {}
    Descriptor(Descriptor&& other) noexcept : number_(other.release()) {}
    Descriptor& operator=(Descriptor&& other) noexcept;
    ~Descriptor() { reset(); }
    int get() const { return number_; }
    explicit operator bool() const { return number_ >= 0; }
    int release();
    void reset();

  private:
    int number_ = -1;
};

// Throws Error{io} with the system's reason.
[[noreturn]] void throw_io(const std::string& where, const std::string& what, int error_number);

// Opens for reading. A directory, a pipe and the like are Error{bad_file}: only files have a size to check
// against.
Descriptor open_for_reading(const std::filesystem::path& path);
std::uint64_t size_of(int descriptor, const std::string& where);

// Whole or Error: io, or bad_file where the file ends early. Safe from several threads.
void read_at(int descriptor, std::uint64_t offset, std::span<std::byte> data, const std::string& where);
void write_at(int descriptor, std::uint64_t offset, std::span<const std::byte> data,
              const std::string& where);

} // namespace ingot::runtime
