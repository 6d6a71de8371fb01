// The two checksums of a plan file.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <span>

namespace ingot::runtime {

// SHA-256 of the parts, one after the other (FIPS 180-4).
std::array<std::uint8_t, 32> sha256(std::initializer_list<std::span<const std::byte>> parts);

// XXH3-64 of one chunk of the weights (checksum_chunk bytes, the last one shorter).
std::uint64_t chunk_checksum(std::span<const std::byte> chunk);
// The weights' checksum: XXH3-64 of the chunks' checksums, as little-endian words in order. So chunks can be
// written and read in any order, by several threads.
std::uint64_t weights_checksum(std::span<const std::uint64_t> chunks);

} // namespace ingot::runtime
