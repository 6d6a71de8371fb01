#include "runtime/packing.h"

#include "runtime/error.h"

#include <array>
#include <cstring>
#include <string>

#include <fmt/format.h>

namespace ingot::runtime {
namespace {

constexpr std::uint64_t panel_rows = 16;
constexpr std::uint64_t panel_alignment = 64;
constexpr std::uint64_t block = 32;

// How an element lies in a file and in a panel.
struct Format {
    std::string_view element;
    bool blocks;                // of 32, else single numbers
    std::uint32_t file_bytes;   // of a block or number
    std::uint32_t code_bytes;   // of a block of 16 rows in a panel
    std::uint32_t header_bytes; // scale, and minimum: before the codes in the file
    std::uint32_t bits;
};

constexpr std::array<Format, 8> formats = {{
    {"f32", false, 4, 0, 0, 32},
    {"f16", false, 2, 0, 0, 16},
    {"bf16", false, 2, 0, 0, 16},
    {"q4_0", true, 18, 256, 2, 4},
    {"q4_1", true, 20, 256, 4, 4},
    {"q5_0", true, 22, 320, 2, 5},
    {"q5_1", true, 24, 320, 4, 5},
    {"q8_0", true, 34, 512, 2, 8},
}};

[[noreturn]] void fail(const std::string& message) {
    throw Error(Code::bad_file, "packing", message);
}

const Format& format_of(std::string_view element) {
    for (const Format& f : formats)
        if (f.element == element) return f;
    fail(fmt::format("weights of element {} can't be packed", element));
}

std::uint64_t multiply(std::uint64_t a, std::uint64_t b) {
    std::uint64_t product = 0;
    if (__builtin_mul_overflow(a, b, &product) || product >> 62 != 0) fail("a size wraps");
    return product;
}

std::uint64_t row_bytes(const Format& f, std::uint64_t cols) {
    if (f.blocks && cols % block != 0) fail(fmt::format("{} columns are not whole blocks of 32", cols));
    return multiply(f.blocks ? cols / block : cols, f.file_bytes);
}

// The planes of a row tile: bytes of one row, and of a block of it where there are blocks.
struct Planes {
    std::array<std::uint64_t, 4> row = {}, block = {};
    std::uint64_t height = 16, tile_bytes = 0;
};

std::uint64_t padded(std::uint64_t bytes, std::uint64_t alignment) {
    return (bytes + alignment - 1) / alignment * alignment;
}

Planes planes_of(const Format& f, std::uint64_t cols) {
    constexpr std::uint64_t tile_limit = std::uint64_t{20} * 1024, plane_alignment = 16, tile_alignment = 128;
    Planes p;
    if (f.blocks) {
        std::size_t n = 0;
        p.block[n++] = 16;
        if (f.bits == 8) p.block[n++] = 16;
        if (f.bits == 5) p.block[n++] = 4;
        p.block[n++] = 2;
        if (f.header_bytes == 4) p.block[n++] = 2;
    }
    std::uint64_t row = 0;
    for (std::size_t i = 0; i < p.row.size(); ++i) {
        p.row[i] = f.blocks ? padded(multiply(cols / block, p.block[i]), plane_alignment)
                   : i == 0 ? padded(row_bytes(f, cols), plane_alignment)
                            : 0;
        row += p.row[i];
    }
    while (p.height > 1 && multiply(p.height, row) > tile_limit)
        p.height /= 2;
    p.tile_bytes = padded(multiply(p.height, row), tile_alignment);
    return p;
}

std::uint64_t panel_bytes(const Format& f, std::uint64_t cols) {
    const std::uint64_t bytes = f.blocks ? multiply(cols / block, f.code_bytes + panel_rows * f.header_bytes)
                                         : multiply(cols, panel_rows * f.file_bytes);
    return (bytes + panel_alignment - 1) / panel_alignment * panel_alignment;
}

// The file's bytes of a row of the stacked sources.
const std::byte* row_at(const PackJob& job, std::uint64_t row, std::uint64_t bytes) {
    for (const PackSource& s : job.sources) {
        if (row < s.rows) return s.data.data() + row * bytes;
        row -= s.rows;
    }
    return nullptr;
}

std::uint64_t total_rows(const PackJob& job) {
    std::uint64_t rows = 0;
    for (const PackSource& s : job.sources)
        if (__builtin_add_overflow(rows, s.rows, &rows)) fail("a size wraps");
    return rows;
}

// Rows of one panel, null past the end of the matrix.
using PanelRows = std::array<const std::byte*, panel_rows>;

// Bits j, 4+j, 8+j, ... of 32, side by side.
std::uint32_t every_fourth_bit(std::uint32_t bits, std::uint32_t j) {
    std::uint32_t x = bits >> j & 0x11111111U;
    x = (x | x >> 3) & 0x03030303U;
    x = (x | x >> 6) & 0x000f000fU;
    return (x | x >> 12) & 0xffU;
}

// The fifth bits of a block, in the order of the layouts: bit 8j+g is that of element 4g+j.
std::uint32_t spread_fifth_bits(const std::byte* at) {
    std::uint32_t high = 0, spread = 0;
    std::memcpy(&high, at, 4);
    for (std::uint32_t j = 0; j < 4; ++j)
        spread |= every_fourth_bit(high, j) << (8 * j);
    return spread;
}

// One block of one row into its places.
template <std::uint32_t Bits>
void pack_block(const std::byte* codes, std::uint64_t r, std::byte* out) {
    if constexpr (Bits == 8) {
        for (std::uint64_t g = 0; g < 8; ++g) {
            std::uint32_t four = 0;
            std::memcpy(&four, codes + 4 * g, 4);
            four ^= 0x80808080U; // signed to unsigned
            std::memcpy(out + 64 * g + 4 * r, &four, 4);
        }
        return;
    }
    if constexpr (Bits == 5) {
        const std::uint32_t spread = spread_fifth_bits(codes);
        std::memcpy(out + 256 + 4 * r, &spread, 4);
        codes += 4;
    }
    // A byte of the file holds elements i and i+16, as a byte of the panel does.
    for (std::uint64_t g = 0; g < 4; ++g)
        std::memcpy(out + 64 * g + 4 * r, codes + 4 * g, 4);
}

// Bytes of a block of 16 rows before its codes.
std::uint64_t panel_header_bytes(const Format& f) {
    return panel_rows * f.header_bytes;
}

template <std::uint32_t Bits>
void pack_block_panel(const Format& f, std::uint64_t cols, const PanelRows& rows, std::byte* out) {
    for (std::uint64_t b = 0; b < cols / block; ++b, out += panel_header_bytes(f) + f.code_bytes)
        for (std::uint64_t r = 0; r < panel_rows; ++r) {
            if (rows[r] == nullptr) continue;
            const std::byte* at = rows[r] + b * f.file_bytes;
            for (std::uint64_t part = 0; part < f.header_bytes / 2; ++part)
                std::memcpy(out + 2 * (part * panel_rows + r), at + 2 * part, 2);
            pack_block<Bits>(at + f.header_bytes, r, out + panel_header_bytes(f));
        }
}

template <class T>
void pack_number_panel(std::uint64_t cols, const PanelRows& rows, std::byte* out) {
    // A few columns at a time, so that what is written stays in the first-level cache while all rows come by.
    constexpr std::uint64_t tile = 64;
    for (std::uint64_t k0 = 0; k0 < cols; k0 += tile)
        for (std::uint64_t r = 0; r < panel_rows; ++r) {
            if (rows[r] == nullptr) continue;
            for (std::uint64_t k = k0; k < cols && k < k0 + tile; ++k)
                std::memcpy(out + (k * panel_rows + r) * sizeof(T), rows[r] + k * sizeof(T), sizeof(T));
        }
}

// One row of a tile; `r` is its number in the tile.
void pack_tile_row(const Format& f, const Planes& p, std::uint64_t cols, const std::byte* row,
                   std::uint64_t r, std::byte* tile) {
    std::array<std::byte*, 4> plane = {};
    for (std::size_t i = 0; i < plane.size(); ++i) {
        plane[i] = tile + r * p.row[i];
        tile += p.height * p.row[i];
    }
    if (!f.blocks) {
        std::memcpy(plane[0], row, row_bytes(f, cols));
        return;
    }
    for (std::uint64_t b = 0; b < cols / block; ++b, row += f.file_bytes) {
        const std::byte* codes = row + f.header_bytes;
        std::size_t n = 0;
        if (f.bits == 5) codes += 4;
        std::memcpy(plane[n++] + 16 * b, codes, 16);
        if (f.bits == 8) std::memcpy(plane[n++] + 16 * b, codes + 16, 16);
        if (f.bits == 5) {
            const std::uint32_t spread = spread_fifth_bits(row + f.header_bytes);
            std::memcpy(plane[n++] + 4 * b, &spread, 4);
        }
        std::memcpy(plane[n++] + 2 * b, row, 2);
        if (f.header_bytes == 4) std::memcpy(plane[n] + 2 * b, row + 2, 2);
    }
}

void pack_panel(const Format& f, std::uint64_t cols, const PanelRows& rows, std::byte* out) {
    if (!f.blocks)
        return f.file_bytes == 4 ? pack_number_panel<std::uint32_t>(cols, rows, out)
                                 : pack_number_panel<std::uint16_t>(cols, rows, out);
    if (f.bits == 4) return pack_block_panel<4>(f, cols, rows, out);
    if (f.bits == 5) return pack_block_panel<5>(f, cols, rows, out);
    pack_block_panel<8>(f, cols, rows, out);
}

} // namespace

PackSize check_packing(const PackJob& job) {
    const Format& f = format_of(job.element);
    const std::uint64_t bytes = row_bytes(f, job.cols), rows = total_rows(job);
    for (const PackSource& s : job.sources)
        if (s.data.size() != multiply(s.rows, bytes))
            fail(fmt::format("a source of {} rows of {} bytes has {} bytes", s.rows, bytes, s.data.size()));
    PackSize size;
    if (job.layout == "rows") {
        size = {.units = rows, .unit_bytes = bytes};
    } else if (job.layout == "panel16") {
        size = {.units = rows / panel_rows + (rows % panel_rows != 0 ? 1 : 0),
                .unit_bytes = panel_bytes(f, job.cols)};
    } else if (job.layout == "panel16_pair") {
        if (rows % 2 != 0) fail(fmt::format("{} rows are not two halves", rows));
        const std::uint64_t half = rows / 2;
        size = {.units = 2 * (half / panel_rows + (half % panel_rows != 0 ? 1 : 0)),
                .unit_bytes = panel_bytes(f, job.cols)};
    } else if (job.layout == "row_tiles" || job.layout == "row_tiles_pair") {
        const bool pairs = job.layout == "row_tiles_pair";
        if (pairs && rows % 2 != 0) fail(fmt::format("{} rows are not two halves", rows));
        const Planes p = planes_of(f, job.cols);
        const std::uint64_t half = pairs ? rows / 2 : rows;
        size = {.units = (half / p.height + (half % p.height != 0 ? 1 : 0)) * (pairs ? 2 : 1),
                .unit_bytes = p.tile_bytes};
    } else {
        fail(fmt::format("there is no layout {}", job.layout));
    }
    multiply(size.units, size.unit_bytes);
    return size;
}

void pack_units(const PackJob& job, std::uint64_t begin, std::uint64_t end, std::span<std::byte> out) {
    const Format& f = format_of(job.element);
    const std::uint64_t bytes = row_bytes(f, job.cols);
    if (job.layout == "rows") {
        for (std::uint64_t row = begin; row < end; ++row)
            std::memcpy(out.data() + (row - begin) * bytes, row_at(job, row, bytes), bytes);
        return;
    }
    const bool pairs = job.layout.ends_with("_pair"), tiles = job.layout.starts_with("row_tiles");
    const std::uint64_t rows = total_rows(job), limit = pairs ? rows / 2 : rows;
    const Planes planes = tiles ? planes_of(f, job.cols) : Planes{};
    const std::uint64_t size = tiles ? planes.tile_bytes : panel_bytes(f, job.cols);
    std::memset(out.data(), 0, (end - begin) * size);
    if (tiles) {
        for (std::uint64_t tile = begin; tile < end; ++tile) {
            const std::uint64_t first = (pairs ? tile / 2 : tile) * planes.height;
            const std::uint64_t shift = pairs && tile % 2 == 1 ? rows / 2 : 0;
            for (std::uint64_t r = 0; r < planes.height && first + r < limit; ++r)
                pack_tile_row(f, planes, job.cols, row_at(job, shift + first + r, bytes), r,
                              out.data() + (tile - begin) * size);
        }
        return;
    }
    for (std::uint64_t panel = begin; panel < end; ++panel) {
        const std::uint64_t first = (pairs ? panel / 2 : panel) * panel_rows;
        const std::uint64_t shift = pairs && panel % 2 == 1 ? rows / 2 : 0;
        PanelRows at{};
        for (std::uint64_t r = 0; r < panel_rows && first + r < limit; ++r)
            at[r] = row_at(job, shift + first + r, bytes);
        pack_panel(f, job.cols, at, out.data() + (panel - begin) * size);
    }
}

void unpack_row(std::string_view element, std::uint64_t cols, std::span<const std::byte> panel,
                std::uint64_t row, std::span<std::byte> out) {
    const Format& f = format_of(element);
    if (!f.blocks) {
        for (std::uint64_t k = 0; k < cols; ++k)
            std::memcpy(out.data() + k * f.file_bytes, panel.data() + (k * panel_rows + row) * f.file_bytes,
                        f.file_bytes);
        return;
    }
    for (std::uint64_t b = 0; b < cols / block; ++b) {
        std::byte* to = out.data() + b * f.file_bytes;
        const std::byte* const header = panel.data() + b * (panel_header_bytes(f) + f.code_bytes);
        const std::byte* const codes = header + panel_header_bytes(f);
        for (std::uint64_t part = 0; part < f.header_bytes / 2; ++part)
            std::memcpy(to + 2 * part, header + 2 * (part * panel_rows + row), 2);
        to += f.header_bytes;
        if (f.bits == 8) {
            for (std::uint64_t i = 0; i < block; ++i)
                to[i] = codes[64 * (i / 4) + 4 * row + i % 4] ^ std::byte{0x80};
            continue;
        }
        if (f.bits == 5) {
            std::uint32_t high = 0;
            for (std::uint32_t i = 0; i < block; ++i)
                high |= (std::to_integer<std::uint32_t>(codes[256 + 4 * row + i % 4]) >> (i / 4) & 1U) << i;
            std::memcpy(to, &high, 4);
            to += 4;
        }
        for (std::uint64_t i = 0; i < block / 2; ++i)
            to[i] = codes[64 * (i / 4) + 4 * row + i % 4];
    }
}

} // namespace ingot::runtime
