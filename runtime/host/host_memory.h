// Arenas of the host device.
#pragma once

#include "runtime/device.h"

#include <atomic>
#include <memory>

namespace ingot::runtime {

// Counts that outlive the device they belong to.
struct HostAllocations {
    std::atomic<std::size_t> live = 0;
    std::atomic<std::size_t> total = 0;
};

// Anonymous pages, zero at first. Throws Error{out_of_memory}.
std::unique_ptr<Memory> allocate_host_memory(Pool pool, std::uint64_t bytes,
                                             std::shared_ptr<HostAllocations> count);

// Reads a range of a file with up to `threads` threads. Throws Error: io, bad_file (the file ends early).
void read_in_parallel(std::span<std::byte> to, const FileRange& range, unsigned threads);

// What a queue does with memory that the host sees. Throw Error{invalid_argument} for ranges past the end.
void write_memory(Memory& to, std::uint64_t offset, std::span<const std::byte> data);
void read_memory(Memory& from, std::uint64_t offset, std::span<std::byte> data);
void copy_memory(Memory& memory, std::uint64_t to, std::uint64_t from, std::uint64_t bytes);

} // namespace ingot::runtime
