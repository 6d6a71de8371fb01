// The first page of a plan file. docs/PLAN_FORMAT.md shows the file as a whole.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

namespace ingot::runtime {

inline constexpr std::uint64_t plan_alignment = 4096;
inline constexpr std::array<char, 8> plan_magic = {'I', 'N', 'G', 'O', 'T', 'P', 'L', 'N'};

// The weights' checksum is kept per chunk while they are written, in any order; see weights_checksum.
inline constexpr std::uint64_t checksum_chunk = std::uint64_t{1} << 20;

// A range of the file. `offset` is a multiple of plan_alignment; an absent segment has both 0.
struct PlanSegment {
    std::uint64_t offset = 0;
    std::uint64_t bytes = 0;
};

// Little-endian, as it lies in the file; the rest of the page is zero.
struct PlanHeader {
    std::array<char, 8> magic = plan_magic;
    std::uint32_t format_major = 0;
    std::uint32_t format_minor = 0;
    std::uint64_t file_bytes = 0;
    PlanSegment description;
    PlanSegment code;
    PlanSegment weights;
    std::uint64_t weights_checksum = 0; // see weights_checksum in digest.h; 0 where there are no weights
    std::array<std::uint8_t, 32> digest = {}; // SHA-256 of the file before the weights, this field as zeros
};
static_assert(sizeof(PlanHeader) == 112);

} // namespace ingot::runtime
