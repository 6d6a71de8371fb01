#pragma once

#include <algorithm>
#include <string>
#include <string_view>
#include <vector>

namespace ingot::codegen {

// The words of a text that blanks separate.
inline std::vector<std::string> words(std::string_view text) {
    std::vector<std::string> out;
    for (size_t at = 0; at < text.size();) {
        const size_t end = std::min(text.find(' ', at), text.size());
        if (end > at) out.emplace_back(text.substr(at, end - at));
        at = end + 1;
    }
    return out;
}

} // namespace ingot::codegen
