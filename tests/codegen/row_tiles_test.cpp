// Row tiles: read as ir/row_tiles.h describes them, they hold what the file held.
#include "ir/row_tiles.h"

#include "codegen/random_inputs.h"
#include "ir/error.h"
#include "runtime/error.h"
#include "runtime/packing.h"

#include <cstring>
#include <random>

#include <gtest/gtest.h>

namespace ingot::codegen {
namespace {

using namespace ir;

uint64_t padded(uint64_t bytes) {
    return (bytes + 15) / 16 * 16;
}

// Steps through the planes of a tile.
class Planes {
  public:
    Planes(std::span<const std::byte> tile, uint64_t height, uint64_t row)
        : at_(tile.data()), height_(height), row_(row) {}
    const std::byte* next(uint64_t bytes) {
        const std::byte* plane = at_ + row_ * padded(bytes);
        at_ += height_ * padded(bytes);
        return plane;
    }

  private:
    const std::byte* at_;
    uint64_t height_, row_;
};

// Row `row` of a tile in the file's order.
std::vector<std::byte> unpack(Element e, uint64_t cols, std::span<const std::byte> tile, uint64_t row) {
    std::vector<std::byte> out(*row_bytes(e, cols));
    Planes planes(tile, row_tile_height(e, cols), row);
    if (!is_quantized(e)) {
        std::memcpy(out.data(), planes.next(out.size()), out.size());
        return out;
    }
    const uint64_t blocks = cols / 32;
    const bool minima = e == Element::q4_1 || e == Element::q5_1,
               five = e == Element::q5_0 || e == Element::q5_1;
    const std::byte* const codes = planes.next(16 * blocks);
    const std::byte* const second = e == Element::q8_0 ? planes.next(16 * blocks) : nullptr;
    const std::byte* const fifth = five ? planes.next(4 * blocks) : nullptr;
    const std::byte* const scales = planes.next(2 * blocks);
    const std::byte* const mins = minima ? planes.next(2 * blocks) : nullptr;
    for (uint64_t b = 0; b < blocks; ++b) {
        std::byte* to = out.data() + b * info(e).block_bytes;
        std::memcpy(to, scales + 2 * b, 2), to += 2;
        if (minima) std::memcpy(to, mins + 2 * b, 2), to += 2;
        if (five) {
            uint32_t spread = 0, bits = 0;
            std::memcpy(&spread, fifth + 4 * b, 4);
            for (uint32_t i = 0; i < 32; ++i)
                bits |= (spread >> (8 * (i % 4) + i / 4) & 1U) << i;
            std::memcpy(to, &bits, 4), to += 4;
        }
        std::memcpy(to, codes + 16 * b, 16);
        if (second != nullptr) std::memcpy(to + 16, second + 16 * b, 16);
    }
    return out;
}

class RowTiles : public testing::TestWithParam<Element> {};

TEST_P(RowTiles, RowsComeBack) {
    std::mt19937_64 random(std::random_device{}());
    for (const auto& [rows, cols] : {std::pair{1, 32}, {16, 64}, {38, 96}, {50, 288}, {6, 14336}}) {
        const Tensor t = random_weight(GetParam(), rows, cols, random);
        const auto width = static_cast<uint64_t>(cols);
        const uint64_t row_size = *row_bytes(GetParam(), width), height = row_tile_height(GetParam(), width);
        for (const std::string_view layout : {"row_tiles", "row_tiles_pair"}) {
            const bool pair = layout == "row_tiles_pair";
            if (pair && rows % 2 != 0) continue;
            const runtime::PackSource source{.data = t.data, .rows = static_cast<uint64_t>(rows)};
            const runtime::PackJob job{
                .element = info(GetParam()).text, .layout = layout, .cols = width, .sources = {&source, 1}};
            const runtime::PackSize size = runtime::check_packing(job);
            ASSERT_EQ(size.unit_bytes, row_tile_bytes(GetParam(), width));
            ASSERT_EQ(size.bytes(), packed_bytes(GetParam(), *layout_from_text(layout),
                                                 static_cast<uint64_t>(rows), width));
            std::vector<std::byte> packed(size.bytes());
            runtime::pack_units(job, 0, size.units, packed);
            for (int r = 0; r < rows; ++r) {
                const auto half = static_cast<uint64_t>(pair ? rows / 2 : rows),
                           row = static_cast<uint64_t>(r);
                const uint64_t tile = pair ? row % half / height * 2 + row / half : row / height;
                const auto got = unpack(GetParam(), width,
                                        std::span(packed).subspan(tile * size.unit_bytes, size.unit_bytes),
                                        row % half % height);
                ASSERT_EQ(std::memcmp(got.data(), t.data.data() + row * row_size, row_size), 0)
                    << layout << " row " << r << " of " << rows << "x" << cols;
            }
        }
    }
}

INSTANTIATE_TEST_SUITE_P(Formats, RowTiles,
                         testing::Values(Element::f32, Element::f16, Element::bf16, Element::q4_0,
                                         Element::q4_1, Element::q5_0, Element::q5_1, Element::q8_0),
                         [](const auto& param) { return std::string(ir::info(param.param).text); });

TEST(RowTilesLayout, TilesStayWithinAStage) {
    EXPECT_EQ(row_tile_height(Element::q4_0, 4096), 8U); // 8 * 4096/32 * 18 = 18 KiB
    EXPECT_EQ(row_tile_height(Element::q8_0, 4096), 4U);
    EXPECT_EQ(row_tile_height(Element::q4_0, 14336), 2U);
    EXPECT_EQ(row_tile_height(Element::q4_0, 32), 16U);
    EXPECT_EQ(row_tile_height(Element::f32, 1 << 20), 1U);
    EXPECT_THROW(row_tile_height(Element::q4_0, 33), Error);
    EXPECT_THROW(row_tile_height(Element::q4_k, 256), Error);
    EXPECT_THROW(row_tile_bytes(Element::f32, uint64_t{1} << 62), Error);
}

} // namespace
} // namespace ingot::codegen
