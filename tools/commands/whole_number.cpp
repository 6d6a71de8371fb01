#include "tools/commands/whole_number.h"

#include <charconv>

#include <fmt/format.h>

namespace ingot::tools {

CLI::Validator whole_number(uint64_t least, uint64_t most) {
    const auto check = [least, most](const std::string& text) -> std::string {
        uint64_t value = 0;
        const char* const end = text.data() + text.size();
        const auto [stop, error] = std::from_chars(text.data(), end, value);
        if (error == std::errc() && stop == end && value >= least && value <= most) return {};
        return fmt::format("{} is not a whole number from {} to {}", text, least, most);
    };
    return {check, "", ""};
}

} // namespace ingot::tools
