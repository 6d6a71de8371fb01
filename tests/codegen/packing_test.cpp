// Packing of weights: what a panel holds is what the file held.
#include <gtest/gtest.h>

#include <cstring>
#include <random>

#include <fmt/format.h>

#include "codegen/random_inputs.h"
#include "codegen/weight_table.h"
#include "ir/error.h"
#include "runtime/error.h"
#include "runtime/packing.h"

namespace ingot::codegen {
namespace {

using namespace ir;

constexpr Element formats[] = {Element::f32,  Element::f16,  Element::bf16, Element::q4_0,
                               Element::q4_1, Element::q5_0, Element::q5_1, Element::q8_0};

std::vector<std::byte> pack(const runtime::PackJob& job) {
    const runtime::PackSize size = runtime::check_packing(job);
    std::vector<std::byte> out(size.bytes());
    runtime::pack_units(job, 0, size.units, out);
    return out;
}

class Packing : public testing::TestWithParam<Element> {
  protected:
    std::mt19937_64 random{std::random_device{}()};
};

TEST_P(Packing, RowsComeBack) {
    for (const auto& [rows, cols] : {std::pair{1, 32}, {16, 64}, {37, 96}, {50, 288}}) {
        const Tensor t = random_weight(GetParam(), rows, cols, random);
        const uint64_t row_size = *row_bytes(GetParam(), static_cast<uint64_t>(cols));
        for (const std::string_view layout : {"panel16", "panel16_pair"}) {
            const bool pair = layout == "panel16_pair";
            if (pair && rows % 2 != 0) continue;
            const runtime::PackSource source{.data = t.data, .rows = static_cast<uint64_t>(rows)};
            const runtime::PackJob job{.element = info(GetParam()).text,
                                       .layout = layout,
                                       .cols = static_cast<uint64_t>(cols),
                                       .sources = {&source, 1}};
            const std::vector<std::byte> packed = pack(job);
            ASSERT_EQ(packed.size(), packed_bytes(GetParam(), *layout_from_text(layout),
                                                  static_cast<uint64_t>(rows), static_cast<uint64_t>(cols)));
            const uint64_t unit = runtime::check_packing(job).unit_bytes;
            EXPECT_EQ(unit % 64, 0u);
            std::vector<std::byte> row(row_size);
            for (int r = 0; r < rows; ++r) {
                const int half = pair ? rows / 2 : rows, within = r % half;
                const uint64_t panel =
                    pair ? static_cast<uint64_t>(within / 16 * 2 + r / half) : static_cast<uint64_t>(r / 16);
                runtime::unpack_row(info(GetParam()).text, static_cast<uint64_t>(cols),
                                    std::span(packed).subspan(panel * unit, unit),
                                    static_cast<uint64_t>(within % 16), row);
                ASSERT_EQ(
                    std::memcmp(row.data(), t.data.data() + static_cast<uint64_t>(r) * row_size, row_size), 0)
                    << layout << " row " << r << " of " << rows << "x" << cols;
            }
        }
    }
}

TEST_P(Packing, PartsAreWhatTheWholeIs) {
    const Tensor a = random_weight(GetParam(), 21, 64, random), b = random_weight(GetParam(), 43, 64, random);
    const std::vector<runtime::PackSource> sources = {{.data = a.data, .rows = 21},
                                                      {.data = b.data, .rows = 43}};
    const runtime::PackJob job{
        .element = info(GetParam()).text, .layout = "panel16_pair", .cols = 64, .sources = sources};
    const std::vector<std::byte> whole = pack(job);
    const runtime::PackSize size = runtime::check_packing(job);
    for (uint64_t begin = 0; begin < size.units; ++begin)
        for (uint64_t end = begin + 1; end <= size.units; ++end) {
            std::vector<std::byte> part((end - begin) * size.unit_bytes, std::byte{0x77});
            runtime::pack_units(job, begin, end, part);
            ASSERT_EQ(std::memcmp(part.data(), whole.data() + begin * size.unit_bytes, part.size()), 0);
        }
}

INSTANTIATE_TEST_SUITE_P(Formats, Packing, testing::ValuesIn(formats),
                         [](const auto& p) { return std::string(ir::info(p.param).text); });

// One layout in numbers: the third vector of a four-bit block holds elements 8..11 and 24..27 of every row.
TEST(PackingLayout, FourAndFiveBitBlocks) {
    std::vector<std::byte> q5_1(24 * 16);
    for (size_t r = 0; r < 16; ++r) {
        std::byte* block = q5_1.data() + 24 * r;
        block[0] = std::byte(r);            // scale
        block[2] = std::byte(100 + r);      // minimum
        block[8 + 8 + 1] = std::byte(0xba); // elements 9 and 25
        const uint32_t high = 1U << 9 | 1U << 26;
        std::memcpy(block + 4, &high, 4);
    }
    const runtime::PackSource source{.data = q5_1, .rows = 16};
    const auto panel = pack({.element = "q5_1", .layout = "panel16", .cols = 32, .sources = {&source, 1}});
    ASSERT_EQ(panel.size(), 320u + 64u);
    for (size_t r = 0; r < 16; ++r) {
        EXPECT_EQ(panel[2 * r], std::byte(r));
        EXPECT_EQ(panel[32 + 2 * r], std::byte(100 + r));
        EXPECT_EQ(panel[64 + 64 * 2 + 4 * r + 1], std::byte(0xba));
        EXPECT_EQ(panel[64 + 256 + 4 * r + 1], std::byte(1U << 2)); // element 9 is byte 1 of vector 2
        EXPECT_EQ(panel[64 + 256 + 4 * r + 2], std::byte(1U << 6)); // element 26 is byte 2 of vector 6
    }
}

TEST(PackingLayout, RefusesWhatDoesNotFit) {
    const std::vector<std::byte> bytes(1000);
    const auto refused = [&](std::string_view element, std::string_view layout, uint64_t cols, uint64_t rows,
                             size_t size) {
        const runtime::PackSource source{.data = std::span(bytes).first(size), .rows = rows};
        EXPECT_THROW(runtime::check_packing(
                         {.element = element, .layout = layout, .cols = cols, .sources = {&source, 1}}),
                     runtime::Error)
            << element << " " << layout;
    };
    refused("q4_0", "panel16", 33, 1, 18);
    refused("q4_0", "panel16", 32, 1, 17);
    refused("q4_0", "panel16_pair", 32, 3, 54);
    refused("q4_k", "panel16", 256, 1, 144);
    refused("q4_0", "diagonal", 32, 1, 18);
    refused("f32", "panel16", uint64_t{1} << 62, uint64_t{1} << 62, 4);
    refused("f32", "rows", uint64_t{1} << 40, uint64_t{1} << 40, 0);
}

TEST(WeightTableTest, SharesEqualChainsAndFillsAnyRange) {
    std::mt19937_64 random(std::random_device{}());
    Weights weights;
    weights["a"] = random_weight(Element::q4_1, 40, 64, random);
    weights["b"] = random_weight(Element::q4_1, 24, 64, random);
    weights["n"] = Tensor::from_floats({5}, std::vector<float>{1, 2, 3, 4, 5});
    Graph g;
    g.name = "decode";
    const Type a{.element = Element::q4_1, .dims = {40, 64}, .pool = Pool::weights};
    const Type b{.element = Element::q4_1, .dims = {24, 64}, .pool = Pool::weights};
    const ValueId va = g.add_param("a", a), vb = g.add_param("b", b);
    const ValueId vn = g.add_param("n", {.element = Element::f32, .dims = {5}, .pool = Pool::weights});
    const auto chain = [&](Layout layout) {
        const ValueId joined = g.add(Op::concat_rows, {va, vb});
        Type packed = g.type(joined);
        packed.layout = layout;
        return g.nodes[g.add_node(Op::pack, {joined}, {packed})].results[0];
    };
    const ValueId first = chain(Layout::panel16), second = chain(Layout::panel16),
                  pair = chain(Layout::panel16_pair);
    const ValueId constant =
        g.nodes[g.add_node(Op::constant, {}, {{.element = Element::f32, .dims = {3}, .pool = Pool::weights}},
                           {{"values", std::vector<double>{0.5, -1, 2}}}, "frequencies")]
            .results[0];
    WeightTable table(weights);
    const size_t piece = table.piece_of(g, first);
    EXPECT_EQ(table.piece_of(g, second), piece);
    EXPECT_NE(table.piece_of(g, pair), piece);
    const size_t numbers = table.piece_of(g, constant), vector = table.piece_of(g, vn);
    EXPECT_EQ(table.pieces()[piece].name, "a+b");
    EXPECT_EQ(table.pieces()[numbers].bytes, 12u);

    std::vector<std::byte> whole(table.bytes());
    fill_weights(table.pieces(), 0, whole);
    EXPECT_EQ(std::memcmp(whole.data() + table.pieces()[vector].offset, weights["n"].data.data(), 20), 0);
    const float expected[] = {0.5F, -1, 2};
    EXPECT_EQ(std::memcmp(whole.data() + table.pieces()[numbers].offset, expected, 12), 0);
    for (const WeightPiece& p : table.pieces()) {
        EXPECT_EQ(p.offset % 64, 0u);
        EXPECT_EQ(pack(p.job()),
                  std::vector<std::byte>(whole.begin() + static_cast<ptrdiff_t>(p.offset),
                                         whole.begin() + static_cast<ptrdiff_t>(p.offset + p.bytes)));
    }
    for (int i = 0; i < 300; ++i) {
        const uint64_t begin = std::uniform_int_distribution<uint64_t>(0, whole.size() - 1)(random);
        const uint64_t size = std::uniform_int_distribution<uint64_t>(1, whole.size() - begin)(random);
        std::vector<std::byte> part(size, std::byte{0x55});
        fill_weights(table.pieces(), begin, part);
        ASSERT_EQ(std::memcmp(part.data(), whole.data() + begin, size), 0) << begin << " " << size;
    }

    weights.erase("b");
    WeightTable lacking(weights);
    EXPECT_THROW(lacking.piece_of(g, first), Error);
}

} // namespace
} // namespace ingot::codegen
