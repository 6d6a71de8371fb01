// The memory planning problem: buffers with lifetimes and sizes, to be placed in one arena.
#pragma once

#include <cstdint>
#include <vector>

namespace ingot::passes::memory {

// Takes `size` bytes at every time t with lower <= t < upper.
struct Buffer {
    uint64_t size = 0;
    int64_t lower = 0, upper = 0;
    uint64_t alignment = 1; // of its offset; at least 1, need not be a power of two
};

struct Problem {
    std::vector<Buffer> buffers;
};

// A buffer that takes no space (no bytes, or no time) is in nobody's way: it lies at offset 0 and counts in
// no peak.
bool takes_space(const Buffer& buffer);

struct Placement {
    std::vector<uint64_t> offsets; // bytes, in the order of the problem's buffers
    uint64_t peak = 0;             // largest offset + size
};

// Throws ir::Error, with the buffer's number, for a life that ends before it begins and for alignment 0; and
// for 2^32 buffers or more.
void require_sound(const Problem& problem);

// The largest sum of live bytes: no placement can need less. Throws ir::Error if a sum exceeds 2^63.
uint64_t lower_bound(const Problem& problem);

// The peak of buffers at these offsets. Throws ir::Error if it exceeds 2^64 - 1.
uint64_t peak_of(const Problem& problem, const std::vector<uint64_t>& offsets);

} // namespace ingot::passes::memory
