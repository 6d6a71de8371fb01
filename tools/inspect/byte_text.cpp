#include "tools/inspect/byte_text.h"

#include <array>
#include <string_view>

#include <fmt/format.h>

namespace ingot::tools {

std::string byte_text(uint64_t bytes) {
    constexpr std::array<std::string_view, 5> units = {"KiB", "MiB", "GiB", "TiB", "PiB"};
    if (bytes < 1024) return fmt::format("{} B", bytes);
    double value = static_cast<double>(bytes) / 1024;
    size_t unit = 0;
    for (; value >= 1024 && unit + 1 < units.size(); ++unit)
        value /= 1024;
    return fmt::format("{:.1f} {}", value, units[unit]);
}

} // namespace ingot::tools
