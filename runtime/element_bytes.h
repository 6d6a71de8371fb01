// Sizes of the elements that a plan's bindings can have.
#pragma once

#include <cstdint>
#include <string_view>

namespace ingot::runtime {

// Bytes of one element of a binding ("f32", "i32", ...); 0 for a name that is none.
constexpr std::uint64_t element_bytes(std::string_view element) {
    if (element == "f32" || element == "i32" || element == "u32") return 4;
    if (element == "f16" || element == "bf16") return 2;
    if (element == "i8" || element == "u8") return 1;
    if (element == "f64" || element == "i64") return 8;
    return 0;
}

} // namespace ingot::runtime
