// The memory planning problem: buffers with lifetimes and sizes, to be placed in one arena.
#pragma once

#include <cstdint>
#include <vector>

namespace ingot::passes::memory {

// Takes `size` bytes at every time t with lower <= t < upper.
struct Buffer {
    uint64_t size = 0;
    int64_t lower = 0, upper = 0;
    uint64_t alignment = 1; // of its offset
};

struct Problem {
    std::vector<Buffer> buffers;
};

// The largest sum of live bytes: no placement can need less. Throws ir::Error if a sum exceeds 63 bits.
uint64_t lower_bound(const Problem& problem);

} // namespace ingot::passes::memory
