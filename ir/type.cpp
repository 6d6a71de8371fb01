#include "ir/type.h"

#include <array>

#include <fmt/format.h>

#include "ir/error.h"
#include "ir/row_tiles.h"

namespace ingot::ir {
namespace {

constexpr std::array<std::string_view, 4> pool_names = {"weights", "state", "transient", "io"};
constexpr std::array<std::string_view, 7> layout_names = {
    "rows", "panel16", "panel16_pair", "kv_channels", "row_tiles", "row_tiles_pair", "kv_octets"};

constexpr uint64_t panel_rows = 16;
constexpr uint64_t panel_alignment = 64;

uint64_t multiply(uint64_t a, uint64_t b) {
    uint64_t product = 0;
    if (__builtin_mul_overflow(a, b, &product) || product >> 63 != 0)
        throw Error("type", "its size in bytes exceeds 63 bits");
    return product;
}

uint64_t checked_row_bytes(Element element, uint64_t count) {
    const std::optional<uint64_t> bytes = row_bytes(element, count);
    if (!bytes)
        throw Error("type", fmt::format("a row of {} elements is not whole {} blocks of {}", count,
                                        info(element).text, info(element).block_elements));
    return *bytes;
}

// Bytes of the codes of 16 rows × 32 columns, 0 for elements that have no packed block form.
uint64_t panel_code_bytes(Element element) {
    switch (element) {
    case Element::q4_0:
    case Element::q4_1:
        return 256;
    case Element::q5_0:
    case Element::q5_1:
        return 320;
    case Element::q8_0:
        return 512;
    default:
        return 0;
    }
}

bool has_min(Element element) {
    return element == Element::q4_1 || element == Element::q5_1;
}

uint64_t panel_bytes(Element element, uint64_t cols) {
    uint64_t bytes = 0;
    if (const uint64_t codes = panel_code_bytes(element); codes != 0) {
        checked_row_bytes(element, cols);
        const uint64_t scale_bytes = panel_rows * 2 * (has_min(element) ? 2 : 1);
        bytes = multiply(cols / info(element).block_elements, codes + scale_bytes);
    } else if (element == Element::f32 || element == Element::f16 || element == Element::bf16) {
        bytes = multiply(cols, panel_rows * info(element).block_bytes);
    } else {
        throw Error("type", fmt::format("{} has no panel layout", info(element).text));
    }
    return (bytes + panel_alignment - 1) / panel_alignment * panel_alignment;
}

uint64_t panels(uint64_t rows) {
    return rows / panel_rows + (rows % panel_rows != 0 ? 1 : 0);
}

uint64_t max_extent(Dim d, std::span<const Symbol> symbols) {
    if (!d.is_symbol()) {
        if (d.constant() < 1) throw Error("type", "a dim is less than 1");
        return static_cast<uint64_t>(d.constant());
    }
    if (d.symbol_index() >= symbols.size())
        throw Error("type", fmt::format("a dim refers to symbol {} of {}", d.symbol_index(), symbols.size()));
    const int64_t max = symbols[d.symbol_index()].max;
    if (max < 1) throw Error("type", "a symbol's maximum is less than 1");
    return static_cast<uint64_t>(max);
}

template <class Enum, size_t N>
std::optional<Enum> find(const std::array<std::string_view, N>& names, std::string_view t) {
    for (size_t i = 0; i < N; ++i)
        if (names[i] == t) return static_cast<Enum>(i);
    return std::nullopt;
}

} // namespace

std::string_view text(Pool p) {
    return pool_names[static_cast<size_t>(p)];
}
std::string_view text(Layout l) {
    return layout_names[static_cast<size_t>(l)];
}
std::optional<Pool> pool_from_text(std::string_view t) {
    return find<Pool>(pool_names, t);
}
std::optional<Layout> layout_from_text(std::string_view t) {
    return find<Layout>(layout_names, t);
}

bool is_packed(Layout l) {
    return l == Layout::panel16 || l == Layout::panel16_pair || l == Layout::row_tiles ||
           l == Layout::row_tiles_pair;
}

uint64_t packed_bytes(Element element, Layout layout, uint64_t rows, uint64_t cols) {
    switch (layout) {
    case Layout::rows:
        return multiply(rows, checked_row_bytes(element, cols));
    case Layout::panel16:
        return multiply(panels(rows), panel_bytes(element, cols));
    case Layout::panel16_pair:
        if (rows % 2 != 0)
            throw Error("type", fmt::format("panel16_pair needs an even number of rows, not {}", rows));
        return multiply(multiply(panels(rows / 2), 2), panel_bytes(element, cols));
    case Layout::row_tiles: {
        const uint64_t height = row_tile_height(element, cols);
        return multiply(rows / height + (rows % height != 0 ? 1 : 0), row_tile_bytes(element, cols));
    }
    case Layout::row_tiles_pair: {
        if (rows % 2 != 0)
            throw Error("type", fmt::format("row_tiles_pair needs an even number of rows, not {}", rows));
        return multiply(2, packed_bytes(element, Layout::row_tiles, rows / 2, cols));
    }
    case Layout::kv_channels:
    case Layout::kv_octets:
        break;
    }
    throw Error("type", fmt::format("{} is not a layout of weights", text(layout)));
}

uint64_t max_bytes(const Type& type, std::span<const Symbol> symbols) {
    if (type.dims.empty()) throw Error("type", "it has no dims");
    if (is_packed(type.layout)) {
        if (type.dims.size() != 2) throw Error("type", fmt::format("{} needs two dims", text(type.layout)));
        return packed_bytes(type.element, type.layout, max_extent(type.dims[0], symbols),
                            max_extent(type.dims[1], symbols));
    }
    uint64_t bytes = checked_row_bytes(type.element, max_extent(type.dims.back(), symbols));
    for (size_t i = 0; i + 1 < type.dims.size(); ++i)
        bytes = multiply(bytes, max_extent(type.dims[i], symbols));
    return bytes;
}

} // namespace ingot::ir
