// For targets whose input is what to change in right bytes, so that the checks behind the first are reached.
#pragma once

#include <algorithm>
#include <cstddef>
#include <span>
#include <vector>

namespace ingot::fuzz {

// `bytes` with some replaced. A change is two bytes of place, one of how many, and those.
inline std::vector<std::byte> changed(std::vector<std::byte> bytes, std::span<const std::byte> changes) {
    while (changes.size() >= 4) {
        const std::size_t place =
            static_cast<std::size_t>(changes[0]) << 8 | static_cast<std::size_t>(changes[1]);
        const std::size_t count = std::min(static_cast<std::size_t>(changes[2]) % 8 + 1, changes.size() - 3);
        for (std::size_t i = 0; i < count; ++i)
            bytes[(place + i) % bytes.size()] = changes[3 + i];
        changes = changes.subspan(3 + count);
    }
    return bytes;
}

} // namespace ingot::fuzz
