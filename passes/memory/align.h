// Sums and alignments of offsets that can't wrap around.
#pragma once

#include <cstdint>

namespace ingot::passes::memory {

constexpr uint64_t no_offset = UINT64_MAX; // more than any offset

// The sum, or no_offset where it doesn't fit.
inline uint64_t saturating_sum(uint64_t a, uint64_t b) {
    uint64_t sum;
    return __builtin_add_overflow(a, b, &sum) ? no_offset : sum;
}

// The next multiple of the alignment, or no_offset.
inline uint64_t align_up(uint64_t offset, uint64_t alignment) {
    if (alignment == 1) return offset;
    const uint64_t over = offset % alignment;
    return over == 0 ? offset : saturating_sum(offset, alignment - over);
}

} // namespace ingot::passes::memory
