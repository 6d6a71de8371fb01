// The type rule of every op: what it derives, and what it refuses.
#include "ir/infer.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "ir/effects.h"
#include "ir/error.h"
#include "ir/print.h"

namespace ingot::ir {
namespace {

const std::vector<Symbol> symbols = {{"T", 1, 8}, {"B", 1, 4}};

// A type from its text.
Type type(const std::string& text) {
    return parse("graph \"\" phase imported { symbol T = 1..8 symbol B = 1..4 param %0 : " + text +
                 " return }")
        .type(0);
}

struct Case {
    Op op;
    std::vector<const char*> operands;
    std::vector<Attr> attrs;
    const char* expected; // the result's type, or the error
};

TEST(Infer, RulesDeriveAndRefuse) {
    const char* const cache = "f16[8, 2, 4, 16] state";
    const std::vector<Case> cases = {
        {Op::add, {"f32[T, 8] io", "f32[T, 8] transient"}, {}, "f32[T, 8] transient"},
        {Op::add, {"f32[8] weights", "f32[T, 8] io"}, {}, "f32[T, 8] transient"},
        {Op::add, {"f32[T, 1] io", "f32[1, 8] io"}, {}, "f32[T, 8] transient"},
        {Op::add,
         {"f32[T, 8] io", "f32[B, 8] io"},
         {},
         "add: f32[T, 8] io does not broadcast with f32[B, 8] io"},
        {Op::add, {"f32[T, 8] io", "f32[4] io"}, {}, "add: f32[T, 8] io does not broadcast with f32[4] io"},
        {Op::neg, {"f16[8] io"}, {}, "neg: a is f16[8] io; it must be f32 in rows"},
        {Op::neg, {}, {}, "neg: it has 0 operands and takes 1"},
        {Op::neg, {"f32[8] io"}, {{"a", 1.0}}, "neg: it has no attribute 'a'"},
        {Op::embed, {"i32[T] io", "q8_0[10, 64] weights"}, {}, "f32[T, 64] transient"},
        {Op::embed,
         {"i32[T] io", "q8_0[10, 64] io"},
         {},
         "embed: table is q8_0[10, 64] io; it must be in weights"},
        {Op::embed,
         {"f32[T] io", "q8_0[10, 64] weights"},
         {},
         "embed: tokens is f32[T] io; it must be i32 with 1 dim in rows"},
        {Op::embed,
         {"i32[T] io", "q4_k[10, 256] weights"},
         {},
         "embed: table is q4_k[10, 256] weights, which this build does not compute with"},
        {Op::rms_norm, {"f32[T, B, 8] io", "f32[8] weights"}, {{"eps", 1e-5}}, "f32[T, B, 8] transient"},
        {Op::rms_norm,
         {"f32[T, 8] io", "f32[9] weights"},
         {{"eps", 1e-5}},
         "rms_norm: x has 8 columns, weight has 9"},
        {Op::rms_norm,
         {"f32[T] io", "f32[9] weights"},
         {{"eps", 1e-5}},
         "rms_norm: x is f32[T] io; its last dim must be a constant"},
        {Op::rms_norm,
         {"f32[T, 8] io", "f32[8] weights"},
         {{"eps", -1.0}},
         "rms_norm: eps must be finite and not negative"},
        {Op::rms_norm, {"f32[T, 8] io", "f32[8] weights"}, {}, "rms_norm: attribute 1 must be 'eps'"},
        {Op::matmul, {"f32[T, 64] io", "q4_1[80, 64] weights"}, {}, "f32[T, 80] transient"},
        {Op::matmul, {"q8a[T, 64] transient", "q4_1[80, 64] panel16 weights"}, {}, "f32[T, 80] transient"},
        {Op::matmul, {"f32[T, 64] io", "f16[80, 80] weights"}, {}, "matmul: x has 64 columns, weight has 80"},
        {Op::matmul,
         {"f32[64] io", "f16[80, 64] weights"},
         {},
         "matmul: x is f32[64] io; it must be f32 with 2 dims in rows"},
        {Op::matmul,
         {"f32[T, 64] io", "q8a[80, 64] weights"},
         {},
         "matmul: weight is q8a[80, 64] weights; it must be floats or blocks of codes"},
        {Op::matmul,
         {"f32[T, 64] io", "f32[T, 64] weights"},
         {},
         "matmul: weight is f32[T, 64] weights; it must have two constant dims"},
        {Op::matmul,
         {"f32[T, 64] io", "q4_1[80, 65] weights"},
         {},
         "matmul: weight: a row of 65 elements is not whole q4_1 blocks of 32"},
        {Op::rope_angles,
         {"i32[T] io", "f32[4] weights"},
         {{"head_dim", int64_t{16}}},
         "f32[T, 16] transient"},
        {Op::rope_angles,
         {"i32[T] io", "f32[9] weights"},
         {{"head_dim", int64_t{16}}},
         "rope_angles: inv_freq has 9 pairs, a head has 8"},
        {Op::rope_angles,
         {"i32[T] io", "f32[4] weights"},
         {{"head_dim", int64_t{15}}},
         "rope_angles: head_dim is 15; it must be even"},
        {Op::rope, {"f32[T, 32] io", "f32[T, 16] io"}, {{"head_dim", int64_t{16}}}, "f32[T, 32] transient"},
        {Op::rope,
         {"f32[T, 40] io", "f32[T, 16] io"},
         {{"head_dim", int64_t{16}}},
         "rope: x has 40 columns, not whole heads of 16"},
        {Op::rope,
         {"f32[T, 32] io", "f32[T, 8] io"},
         {{"head_dim", int64_t{16}}},
         "rope: angles has 8 columns, head_dim is 16"},
        {Op::rope,
         {"f32[T, 32] io", "f32[B, 16] io"},
         {{"head_dim", int64_t{16}}},
         "rope: dim 0 of x is T, dim 0 of angles is B"},
        {Op::rope,
         {"f32[T, 32] io", "f32[T, 16] io"},
         {{"head_dim", int64_t{0}}},
         "rope: head_dim is 0; it must be even"},
        {Op::rope,
         {"f32[T, 32] io", "f32[T, 16] io"},
         {{"head_dim", int64_t{-2}}},
         "rope: head_dim is -2; it must be even"},
        {Op::kv_append, {cache, "f32[T, 32] io", "i32[T] io", "i32[T] io", "i32[B, 4] io"}, {}, cache},
        {Op::kv_append,
         {cache, "f32[T, 16] io", "i32[T] io", "i32[T] io", "i32[B, 4] io"},
         {},
         "kv_append: x has 16 columns, the cache 2 heads of 16"},
        {Op::kv_append,
         {"f16[8, 2, 4, 16] io", "f32[T, 32] io", "i32[T] io", "i32[T] io", "i32[B, 4] io"},
         {},
         "kv_append: cache is f16[8, 2, 4, 16] io; it must be floats [pages, heads, positions, channels] in "
         "state"},
        {Op::kv_append,
         {"f16[8, 2, T, 16] state", "f32[T, 32] io", "i32[T] io", "i32[T] io", "i32[B, 4] io"},
         {},
         "kv_append: cache is f16[8, 2, T, 16] state; only the number of its pages may be a symbol"},
        {Op::kv_append,
         {cache, "f32[T, 32] io", "i32[B] io", "i32[T] io", "i32[B, 4] io"},
         {},
         "kv_append: dim 0 of x is T, dim 0 of positions is B"},
        {Op::attention,
         {"f32[T, 64] io", cache, cache, "i32[T] io", "i32[T] io", "i32[B, 4] io"},
         {{"scale", 1.0}},
         "f32[T, 64] transient"},
        {Op::attention,
         {"f32[T, 64] io", cache, "f32[8, 2, 4, 8] kv_channels state", "i32[T] io", "i32[T] io",
          "i32[B, 4] io", "f32[9] state"},
         {{"scale", 1.0}},
         "f32[T, 32] transient"},
        {Op::attention,
         {"f32[T, 48] io", cache, cache, "i32[T] io", "i32[T] io", "i32[B, 4] io"},
         {{"scale", 1.0}},
         "attention: q has 48 columns, not a multiple of 2 heads of 16"},
        {Op::attention,
         {"f32[T, 64] io", cache, "f16[8, 2, 8, 16] state", "i32[T] io", "i32[T] io", "i32[B, 4] io"},
         {{"scale", 1.0}},
         "attention: dim 2 of k is 4, dim 2 of v is 8"},
        {Op::attention,
         {"f32[T, 64] io", cache, cache, "i32[T] io", "i32[T] io", "i32[B, 4] io", "f32[9] io"},
         {{"scale", 1.0}},
         "attention: workspace is f32[9] io; it must be in state"},
        {Op::gather_rows, {"f32[T, 8] io", "i32[B] io"}, {}, "f32[B, 8] transient"},
        {Op::gather_rows,
         {"f32[T, 8] io", "f32[B] io"},
         {},
         "gather_rows: ids is f32[B] io; it must be i32 with 1 dim in rows"},
        {Op::argmax, {"f32[T, 8] io"}, {}, "i32[T] transient"},
        {Op::argmax, {"f32[8] io"}, {}, "argmax: x is f32[8] io; it must be f32 with 2 dims in rows"},
        {Op::quantize, {"f32[T, 64] io"}, {}, "q8a[T, 64] transient"},
        {Op::quantize,
         {"f32[T, 33] io"},
         {},
         "quantize: x is f32[T, 33] io; its last dim must be whole blocks of 32"},
        {Op::slice_cols,
         {"f32[T, 8] io"},
         {{"begin", int64_t{2}}, {"end", int64_t{8}}},
         "f32[T, 6] transient"},
        {Op::slice_cols,
         {"f32[T, 8] io"},
         {{"begin", int64_t{2}}, {"end", int64_t{9}}},
         "slice_cols: columns 2..9 are not in x of 8"},
        {Op::slice_cols,
         {"f32[T, 8] io"},
         {{"begin", int64_t{-1}}, {"end", int64_t{8}}},
         "slice_cols: columns -1..8 are not in x of 8"},
        {Op::slice_cols,
         {"f32[T, 8] io"},
         {{"begin", int64_t{8}}, {"end", int64_t{8}}},
         "slice_cols: columns 8..8 are not in x of 8"},
        {Op::slice_cols,
         {"f32[T, 8] io"},
         {{"end", int64_t{2}}, {"begin", int64_t{1}}},
         "slice_cols: attribute 1 must be 'begin', not 'end'"},
        {Op::slice_cols,
         {"f32[T, 8] io"},
         {{"begin", 0.0}, {"end", int64_t{2}}},
         "slice_cols: attribute 'begin' must be an integer"},
        {Op::concat_rows, {"q4_1[8, 32] weights", "q4_1[9, 32] weights"}, {}, "q4_1[17, 32] weights"},
        {Op::concat_rows, {"f32[8] weights", "f32[9] weights"}, {}, "f32[17] weights"},
        {Op::concat_rows, {}, {}, "concat_rows: it needs at least one weight"},
        {Op::concat_rows,
         {"q4_1[8, 32] weights", "q4_0[8, 32] weights"},
         {},
         "concat_rows: weights[1] is q4_0[8, 32] weights; it must be q4_1 with 2 dims in rows"},
        {Op::concat_rows,
         {"q4_1[8, 32] weights", "q4_1[8, 64] weights"},
         {},
         "concat_rows: dim 1 of weights[0] is 32, dim 1 of weights[1] is 64"},
        {Op::concat_rows,
         {"f32[8, 32] io"},
         {},
         "concat_rows: weights[0] is f32[8, 32] io; it must be in weights"},
        {Op::concat_rows,
         {"f32[T, 32] weights"},
         {},
         "concat_rows: weights[0] is f32[T, 32] weights; its dims must be constants"},
        {Op::concat_rows, {"q8_0[32] weights"}, {}, "concat_rows: vectors of blocks cannot be joined"},
        {Op::concat_rows,
         {"f32[8, 32, 1] weights"},
         {},
         "concat_rows: weights[0] is f32[8, 32, 1] weights; it must have one dim or two"},
        {Op::concat_rows,
         {"f16[2305843009213693951] weights", "f16[2305843009213693953] weights"},
         {},
         "concat_rows: the rows are too many"},
        {Op::pack, {"f32[8, 32] weights"}, {}, "pack: its results are given by the node"},
    };
    for (const Case& c : cases) {
        std::vector<Type> operands;
        for (const char* text : c.operands) {
            operands.push_back(type(text));
            EXPECT_EQ(print(operands.back(), symbols), text);
        }
        std::string got;
        try {
            const std::vector<Type> results = infer(c.op, operands, c.attrs, symbols);
            ASSERT_EQ(results.size(), 1U);
            got = print(results[0], symbols);
        } catch (const Error& e) {
            got = e.what();
        }
        EXPECT_EQ(got, c.expected);
    }
}

// Of nodes whose results the text gives.
TEST(Infer, GivenResultsAreChecked) {
    struct Given {
        Op op;
        std::vector<const char*> operands;
        std::vector<Attr> attrs;
        std::vector<const char*> results;
        const char* error;
    };
    const Attr one{"values", std::vector<double>{1.0}};
    const std::vector<Given> cases = {
        {Op::constant, {}, {one}, {"f32[1] weights", "f32[1] weights"}, "constant: it has one result"},
        {Op::constant, {}, {one}, {"f32[T] weights"}, "constant: its dims must be constants"},
        {Op::constant, {}, {one}, {"f32[4294967296, 4294967296] weights"}, "constant: it is too large"},
        {Op::constant, {}, {one}, {"f32[1, 2] weights"}, "constant: its dims say 2 values, it has 1"},
        {Op::pack,
         {"f32[8, 32] weights"},
         {},
         {"f32[8, 32] panel16 weights", "f32[8, 32] panel16 weights"},
         "pack: it has one result"},
        {Op::pack,
         {"f32[8, 32] weights"},
         {},
         {"f16[8, 32] panel16 weights"},
         "pack: its result is f16[8, 32] panel16 weights, which differs from f32[8, 32] weights in more than "
         "the layout"},
        {Op::pack,
         {"f32[8, 32] weights"},
         {},
         {"f32[8, 32] panel16 io"},
         "pack: its result is f32[8, 32] panel16 io, which differs from f32[8, 32] weights in more than the "
         "layout"},
        {Op::pack, {"f32[8, 32] weights"}, {}, {"f32[8, 32] weights"}, "pack: rows is not a packed layout"},
        {Op::pack,
         {"f32[8, 32] panel16 weights"},
         {},
         {"f32[8, 32] panel16_pair weights"},
         "pack: weight is f32[8, 32] panel16 weights; it is packed already"},
        {Op::fused, {}, {}, {}, "fused: it needs at least one result"},
    };
    for (const Given& c : cases) {
        std::vector<Type> operands, results;
        for (const char* text : c.operands)
            operands.push_back(type(text));
        for (const char* text : c.results)
            results.push_back(type(text));
        try {
            check_given_results(c.op, operands, c.attrs, symbols, results);
            ADD_FAILURE() << "nothing was wrong; expected: " << c.error;
        } catch (const Error& e) {
            EXPECT_STREQ(e.what(), c.error);
        }
    }
}

TEST(Effects, AreFollowedThroughBodies) {
    const Graph g = parse(R"(graph "g" phase fused {
      param %0 "x" : f32[4, 16] io
      param %1 "cache" : f32[2, 2, 4, 8] state
      param %2 "positions" : i32[4] io
      param %3 "pages" : i32[1, 1] io
      %4, %5 = fused(%2, %0, %3, %1) : f32[4, 16] transient, f32[2, 2, 4, 8] state body {
        param %0 : i32[4] io
        param %1 : f32[4, 16] io
        param %2 : i32[1, 1] io
        param %3 : f32[2, 2, 4, 8] state
        %4 = neg(%1) : f32[4, 16] transient
        %5 = kv_append(%3, %4, %0, %0, %2) : f32[2, 2, 4, 8] state
        %6 = kv_append(%5, %1, %0, %0, %2) : f32[2, 2, 4, 8] state
        return %4, %6
      }
      %6 = fused(%5, %4, %2, %3) : f32[2, 2, 4, 8] state body {
        param %0 : f32[2, 2, 4, 8] state
        param %1 : f32[4, 16] transient
        param %2 : i32[4] io
        param %3 : i32[1, 1] io
        %4 = kv_append(%0, %1, %2, %2, %3) : f32[2, 2, 4, 8] state
        return %4
      }
      return %6
    })");
    EXPECT_THAT(replaced_operands(g, g.nodes[0]), testing::ElementsAre(no_id, 1));
    EXPECT_THAT(replaced_operands(g, g.nodes[1]), testing::ElementsAre(5));
    EXPECT_EQ(storage_root(g, 6), 1U);
    EXPECT_EQ(storage_root(g, 4), 4U);
    EXPECT_EQ(storage_root(g.bodies[0], 6), 3U);
}

} // namespace
} // namespace ingot::ir
