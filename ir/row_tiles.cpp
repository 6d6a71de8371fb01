#include "ir/row_tiles.h"

#include <array>

#include <fmt/format.h>

#include "ir/error.h"

namespace ingot::ir {
namespace {

constexpr uint64_t tile_limit = uint64_t{20} * 1024;
constexpr uint64_t plane_alignment = 16;
constexpr uint64_t tile_alignment = 128;

uint64_t padded(uint64_t bytes, uint64_t alignment) {
    return (bytes + alignment - 1) / alignment * alignment;
}

// Bytes of a block of 32 in each plane; 0 where there is no such plane.
std::array<uint64_t, 4> plane_bytes(Element element) {
    switch (element) {
    case Element::q4_0:
        return {16, 2, 0, 0};
    case Element::q4_1:
        return {16, 2, 2, 0};
    case Element::q5_0:
        return {16, 4, 2, 0};
    case Element::q5_1:
        return {16, 4, 2, 2};
    case Element::q8_0:
        return {16, 16, 2, 0};
    default:
        throw Error("type", fmt::format("{} has no layout row_tiles", info(element).text));
    }
}

// Of one row, every plane padded.
uint64_t bytes_of_row(Element element, uint64_t cols) {
    if (cols == 0 || cols >> 40 != 0) throw Error("type", fmt::format("row_tiles of {} columns", cols));
    if (element == Element::f32 || element == Element::f16 || element == Element::bf16)
        return padded(cols * info(element).block_bytes, plane_alignment);
    const uint64_t block = info(element).block_elements;
    const auto planes = plane_bytes(element);
    if (cols % block != 0)
        throw Error("type", fmt::format("a row of {} elements is not whole {} blocks of {}", cols,
                                        info(element).text, block));
    uint64_t bytes = 0;
    for (const uint64_t plane : planes)
        bytes += padded(cols / block * plane, plane_alignment);
    return bytes;
}

} // namespace

uint64_t row_tile_height(Element element, uint64_t cols) {
    const uint64_t row = bytes_of_row(element, cols);
    uint64_t height = 16;
    while (height > 1 && height * row > tile_limit)
        height /= 2;
    return height;
}

uint64_t row_tile_bytes(Element element, uint64_t cols) {
    return padded(row_tile_height(element, cols) * bytes_of_row(element, cols), tile_alignment);
}

} // namespace ingot::ir
