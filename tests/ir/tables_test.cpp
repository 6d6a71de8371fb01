// Element, type and op tables, and the op table in the documentation.
#include <fstream>
#include <set>
#include <sstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "ir/error.h"
#include "ir/graph.h"
#include "ir/op.h"
#include "ir/ops_doc.h"
#include "ir/print.h"
#include "ir/type.h"
#include "ir/verify.h"

namespace ingot::ir {
namespace {

using testing::ElementsAre;

TEST(Elements, LookUpsFindEveryRow) {
    std::set<int> ids;
    for (size_t i = 0; i < all_elements().size(); ++i) {
        const ElementInfo& e = all_elements()[i];
        EXPECT_EQ(element_from_text(e.text), static_cast<Element>(i));
        if (e.gguf_id < 0) continue;
        EXPECT_EQ(element_from_gguf(static_cast<uint32_t>(e.gguf_id)), static_cast<Element>(i));
        EXPECT_TRUE(ids.insert(e.gguf_id).second) << e.text;
    }
    EXPECT_EQ(element_from_gguf(4), std::nullopt);
    EXPECT_EQ(element_from_gguf(UINT32_MAX), std::nullopt);
    EXPECT_EQ(element_from_text("F32"), std::nullopt);
    EXPECT_EQ(row_bytes(Element::q4_1, 64), 40U);
    EXPECT_EQ(row_bytes(Element::q4_1, 65), std::nullopt);
    EXPECT_EQ(row_bytes(Element::f64, uint64_t{1} << 61), std::nullopt);
}

TEST(Types, PackedBytes) {
    const auto panel = [](Element e, uint64_t rows, uint64_t cols) {
        return packed_bytes(e, Layout::panel16, rows, cols);
    };
    EXPECT_EQ(panel(Element::q4_0, 16, 64), 2 * (256 + 32));
    EXPECT_EQ(panel(Element::q4_1, 17, 64), 2 * 2 * (256 + 64));
    EXPECT_EQ(panel(Element::q5_0, 1, 64), 2 * (320 + 32));
    EXPECT_EQ(panel(Element::q5_1, 32, 32), 2 * (320 + 64));
    EXPECT_EQ(panel(Element::q8_0, 16, 32), 576); // 512 + 32, padded to 64 bytes
    EXPECT_EQ(panel(Element::f32, 16, 3), 192);
    EXPECT_EQ(panel(Element::f16, 16, 3), 128); // 96, padded
    EXPECT_EQ(panel(Element::bf16, 20, 2), 2 * 64);
    EXPECT_EQ(packed_bytes(Element::q4_1, Layout::panel16_pair, 34, 64), 4 * 2 * (256 + 64));
    EXPECT_EQ(packed_bytes(Element::q4_1, Layout::rows, 34, 64), 34 * 40);
    EXPECT_THROW(packed_bytes(Element::q4_1, Layout::panel16_pair, 33, 64), Error);
    EXPECT_THROW(panel(Element::q4_1, 16, 33), Error);
    EXPECT_THROW(panel(Element::i32, 16, 32), Error);
    EXPECT_THROW(panel(Element::q4_k, 16, 256), Error);
    EXPECT_THROW(panel(Element::f32, UINT64_MAX, 1), Error);
    EXPECT_THROW(panel(Element::f32, 1, UINT64_MAX), Error);
    EXPECT_THROW(packed_bytes(Element::f32, Layout::kv_channels, 1, 1), Error);
}

TEST(Types, MaxBytesTakesSymbolsAtTheirMaximum) {
    const std::vector<Symbol> symbols = {{"T", 1, 512}, {"bad", 1, 0}};
    const Dim t = Dim::symbol(0);
    EXPECT_EQ(max_bytes({.dims = {t, 576}}, symbols), 512 * 576 * 4);
    EXPECT_EQ(max_bytes({.element = Element::q8a, .dims = {t, 64}}, symbols), 512 * 88);
    EXPECT_EQ(max_bytes({.element = Element::q4_1, .dims = {17, 64}, .layout = Layout::panel16}, symbols),
              2 * 2 * 320);
    EXPECT_EQ(
        max_bytes({.element = Element::f16, .dims = {4, 3, 64, 64}, .layout = Layout::kv_channels}, symbols),
        4 * 3 * 64 * 64 * 2);
    const auto fails = [&](const Type& type) {
        EXPECT_THROW(max_bytes(type, symbols), Error) << print(type, symbols);
    };
    fails({.dims = {}});
    fails({.dims = {0}});
    fails({.dims = {Dim::symbol(1)}});
    fails({.dims = {Dim::symbol(2)}});
    fails({.element = Element::q8_0, .dims = {32, 16}});
    fails({.dims = {int64_t{1} << 32, int64_t{1} << 32}});
    fails({.dims = {int64_t{1} << 61, 2}});
    fails({.dims = {INT64_MAX}});
}

TEST(Ops, RowsAreTakenApart) {
    const OpInfo& attention = info(Op::attention);
    EXPECT_THAT(attention.operands, ElementsAre("q", "k", "v", "positions", "seqs", "pages", "workspace"));
    EXPECT_EQ(attention.required, 6U);
    EXPECT_FALSE(attention.variadic);
    ASSERT_EQ(attention.attrs.size(), 1U);
    EXPECT_EQ(attention.attrs[0].name, "scale");
    EXPECT_EQ(attention.attrs[0].kind, AttrKind::real);
    EXPECT_TRUE(info(Op::fused).variadic);
    EXPECT_EQ(info(Op::fused).required, 0U);
    EXPECT_EQ(info(Op::kv_append).effect, Effect::append);
    EXPECT_EQ(info(Op::mul).expression, "a * b");
    EXPECT_TRUE(is_pointwise(Op::silu));
    EXPECT_FALSE(is_pointwise(Op::matmul));
    for (size_t i = 0; i < all_ops().size(); ++i)
        EXPECT_EQ(op_from_text(all_ops()[i].name), static_cast<Op>(i));
    EXPECT_EQ(op_from_text("nothing"), std::nullopt);
}

TEST(Graphs, PhasesPoolsAndLayoutsHaveNames) {
    for (const Phase p : {Phase::imported, Phase::canonical, Phase::fused, Phase::packed, Phase::scheduled,
                          Phase::planned, Phase::lowered})
        EXPECT_EQ(phase_from_text(text(p)), p);
    for (const Pool p : {Pool::weights, Pool::state, Pool::transient, Pool::io})
        EXPECT_EQ(pool_from_text(text(p)), p);
    for (const Layout l : {Layout::rows, Layout::panel16, Layout::panel16_pair, Layout::kv_channels})
        EXPECT_EQ(layout_from_text(text(l)), l);
    EXPECT_EQ(phase_from_text("later"), std::nullopt);
}

std::string documentation() {
    std::ifstream file(std::string(INGOT_SOURCE_DIR) + "/docs/IR.md");
    std::stringstream text;
    text << file.rdbuf();
    return text.str();
}

TEST(Docs, OpTableIsTheOneOfOpsDef) {
    const std::string doc = documentation(), table = op_table_markdown();
    const size_t begin = doc.find("<!-- ops:"), end = doc.find("<!-- end of ops -->");
    ASSERT_NE(begin, std::string::npos);
    ASSERT_NE(end, std::string::npos);
    const size_t first = doc.find('\n', begin) + 1;
    EXPECT_EQ(doc.substr(first, end - first), table) << "docs/IR.md: put this between the markers:\n"
                                                     << table;
    EXPECT_THAT(table, testing::HasSubstr(
                           "| `attention(q, k, v, positions, seqs, pages, workspace?)` | `scale` float |"));
}

TEST(Docs, ExamplesAreWellFormed) {
    std::string doc = documentation();
    int examples = 0;
    for (size_t at = doc.find("```\ngraph \""); at != std::string::npos;
         at = doc.find("```\ngraph \"", at + 1)) {
        const size_t begin = at + 4, end = doc.find("```", begin);
        Graph g;
        ASSERT_NO_THROW(g = parse(std::string_view(doc).substr(begin, end - begin), "docs/IR.md"));
        EXPECT_NO_THROW(verify(g));
        ++examples;
    }
    EXPECT_EQ(examples, 2);
}

} // namespace
} // namespace ingot::ir
