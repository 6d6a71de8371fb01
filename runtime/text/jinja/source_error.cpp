#include "runtime/text/jinja/source_error.h"

#include <algorithm>

#include <fmt/format.h>

namespace ingot::runtime::jinja {

Error source_error(Code code, std::string_view name, std::string_view source, std::size_t at,
                   const std::string& message) {
    const std::string_view before = source.substr(0, at);
    const auto line = 1 + std::ranges::count(before, '\n');
    const std::size_t newline = before.rfind('\n');
    const std::string_view row = newline == std::string_view::npos ? before : before.substr(newline + 1);
    const auto column =
        1 + std::ranges::count_if(row, [](char c) { return (static_cast<unsigned char>(c) & 0xC0) != 0x80; });
    return Error(code, fmt::format("{}:{}:{}", name, line, column), message);
}

} // namespace ingot::runtime::jinja
