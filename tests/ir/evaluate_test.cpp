// The reference evaluator against numbers worked out by hand.
#include "ir/evaluate.h"

#include <cmath>
#include <cstring>
#include <functional>
#include <limits>
#include <random>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "ir/error.h"
#include "ir/float16.h"
#include "ir/print.h"
#include "tests/ir/random_inputs.h"

namespace ingot::ir {
namespace {

using testing::ElementsAre;
using testing::FloatEq;
using testing::FloatNear;
using testing::Pointwise;

Tensor floats(std::vector<int64_t> dims, const std::vector<float>& values) {
    return Tensor::from_floats(std::move(dims), values);
}
Tensor ints(std::vector<int64_t> dims, const std::vector<int32_t>& values) {
    return Tensor::from_ints(std::move(dims), values);
}

Graph graph(const std::string& inner) {
    return parse("graph \"g\" phase imported {" + inner + "}");
}

std::vector<float> first_result(const std::string& inner, std::map<std::string, Tensor, std::less<>> params,
                                const EvalOptions& options = {}) {
    return evaluate(graph(inner), {.params = std::move(params)}, options).at(0).to_floats();
}

int32_t int_at(const Tensor& t, size_t i) {
    int32_t v = 0;
    std::memcpy(&v, t.data.data() + 4 * i, 4);
    return v;
}

TEST(Evaluate, PointwiseOpsBroadcast) {
    const std::map<std::string, Tensor, std::less<>> params = {{"a", floats({2, 3}, {1, 2, 3, 4, 5, 6})},
                                                               {"b", floats({3}, {10, 20, 30})},
                                                               {"c", floats({2, 1}, {2, 4})}};
    const std::string head =
        "param %0 \"a\" : f32[2, 3] io param %1 \"b\" : f32[3] weights param %2 \"c\" : f32[2, 1] io ";
    EXPECT_THAT(first_result(head + "%3 = add(%0, %1) : f32[2, 3] transient return %3", params),
                ElementsAre(11, 22, 33, 14, 25, 36));
    EXPECT_THAT(first_result(head + "%3 = sub(%1, %0) : f32[2, 3] transient return %3", params),
                ElementsAre(9, 18, 27, 6, 15, 24));
    EXPECT_THAT(first_result(head + "%3 = div(%0, %2) : f32[2, 3] transient return %3", params),
                ElementsAre(0.5, 1, 1.5, 1, 1.25, 1.5));
    EXPECT_THAT(first_result(head + "%3 = mul(%2, %1) : f32[2, 3] transient return %3", params),
                ElementsAre(20, 40, 60, 40, 80, 120));
}

TEST(Evaluate, PointwiseFunctions) {
    const std::vector<float> x = {-2, 0, 1.5};
    const auto run = [&](const std::string& op) {
        return first_result("param %0 \"a\" : f32[3] io %1 = " + op + "(%0) : f32[3] transient return %1",
                            {{"a", floats({3}, x)}});
    };
    EXPECT_THAT(run("neg"), ElementsAre(2, 0, -1.5));
    EXPECT_THAT(run("relu"), ElementsAre(0, 0, 1.5));
    EXPECT_THAT(run("sigmoid"), Pointwise(FloatEq(), std::vector<float>{0.11920292F, 0.5F, 0.81757448F}));
    EXPECT_THAT(run("silu"), Pointwise(FloatEq(), std::vector<float>{-0.23840584F, 0.0F, 1.22636172F}));
    EXPECT_THAT(run("gelu"),
                Pointwise(FloatNear(1e-6F), std::vector<float>{-0.04540231F, 0.0F, 1.39957154F}));
    const double nan = std::nan("");
    for (const OpInfo& op : all_ops())
        if (!op.expression.empty()) {
            const std::vector<double> args(op.operands.size(), nan);
            EXPECT_TRUE(std::isnan(evaluate_pointwise(*op_from_text(op.name), args))) << op.name;
        }
}

TEST(Evaluate, RoundsBetweenOpsUnlessTold) {
    const std::string text =
        "param %0 \"a\" : f32[1] io %1 = constant() {values = [1.0]} : f32[1] weights "
        "%2 = add(%0, %1) : f32[1] transient %3 = sub(%2, %1) : f32[1] transient return %3";
    const std::map<std::string, Tensor, std::less<>> params = {{"a", floats({1}, {1e-9F})}};
    EXPECT_THAT(first_result(text, params), ElementsAre(0.0F));
    EXPECT_THAT(first_result(text, params, {.f32_between_ops = false}),
                ElementsAre(FloatNear(1e-9F, 1e-15F)));
}

TEST(Evaluate, EmbedGatherArgmax) {
    const std::string text =
        R"(symbol T = 1..4 param %0 "tokens" : i32[T] io param %1 "table" : f16[3, 2] weights
        param %2 "rows" : i32[2] io
        %3 = embed(%0, %1) : f32[T, 2] transient
        %4 = gather_rows(%3, %2) : f32[2, 2] transient
        %5 = argmax(%4) : i32[2] transient
        return %3, %4, %5)";
    Tensor table = Tensor::zeros(Element::f16, {3, 2});
    for (int i = 0; i < 6; ++i) {
        const uint16_t half = f32_to_f16(static_cast<float>(i % 2 == 0 ? i : -i));
        std::memcpy(table.owned->data() + 2 * i, &half, 2);
    }
    const std::map<std::string, Tensor, std::less<>> params = {
        {"tokens", ints({3}, {2, 0, 2})}, {"table", table}, {"rows", ints({2}, {1, 0})}};
    const std::vector<Tensor> results = evaluate(graph(text), {.params = params});
    EXPECT_THAT(results[0].to_floats(), ElementsAre(4, -5, 0, -1, 4, -5));
    EXPECT_THAT(results[1].to_floats(), ElementsAre(0, -1, 4, -5));
    EXPECT_EQ(int_at(results[2], 0), 0);
    EXPECT_EQ(int_at(results[2], 1), 0);
}

TEST(Evaluate, ArgmaxTakesTheFirstAndNoNan) {
    const float nan = std::nanf("");
    const float inf = std::numeric_limits<float>::infinity();
    const std::vector<Tensor> r =
        evaluate(graph("param %0 \"x\" : f32[4, 3] io %1 = argmax(%0) : i32[4] transient return %1"),
                 {.params = {{"x", floats({4, 3}, {1, 3, 3, -inf, -inf, -inf, 5, nan, 7, -1, 0, inf})}}});
    EXPECT_EQ(int_at(r[0], 0), 1);
    EXPECT_EQ(int_at(r[0], 1), 0);
    EXPECT_EQ(int_at(r[0], 2), -1);
    EXPECT_EQ(int_at(r[0], 3), 2);
}

TEST(Evaluate, NormAndMatmulAndSlices) {
    const std::map<std::string, Tensor, std::less<>> params = {{"x", floats({1, 2}, {3, 4})},
                                                               {"n", floats({2}, {1, 2})},
                                                               {"w", floats({3, 2}, {1, 2, 3, 4, 5, 6})},
                                                               {"v", floats({1, 2}, {-1, 1})}};
    const std::string head = R"(param %0 "x" : f32[1, 2] io param %1 "n" : f32[2] weights
        param %2 "w" : f32[3, 2] weights param %3 "v" : f32[1, 2] weights )";
    const float scale = 1.0F / std::sqrt(12.5F + 0.5F);
    EXPECT_THAT(
        first_result(head + "%4 = rms_norm(%0, %1) {eps = 0.5} : f32[1, 2] transient return %4", params),
        ElementsAre(FloatEq(3 * scale), FloatEq(8 * scale)));
    EXPECT_THAT(first_result(head + R"(%4 = concat_rows(%2, %3) : f32[4, 2] weights
                                       %5 = matmul(%0, %4) : f32[1, 4] transient return %5)",
                             params),
                ElementsAre(11, 25, 39, 1));
    EXPECT_THAT(first_result(head + R"(%4 = matmul(%0, %2) : f32[1, 3] transient
                                       %5 = slice_cols(%4) {begin = 1, end = 3} : f32[1, 2] transient return %5)",
                             params),
                ElementsAre(25, 39));
}

TEST(Evaluate, MatmulTakesEveryWeightFormat) {
    for (const Element e : {Element::f32, Element::f16, Element::bf16, Element::q4_0, Element::q4_1,
                            Element::q5_0, Element::q5_1, Element::q8_0}) {
        Tensor w = Tensor::zeros(e, {2, 64});
        for (size_t i = 0; i < w.owned->size(); ++i) // scales and codes that are small, and differ
            (*w.owned)[i] = static_cast<std::byte>(i % info(e).block_bytes % 2 == 1 ? 0x2c : i % 7 * 16);
        const std::vector<float> rows = w.to_floats();
        std::vector<float> x(64);
        for (size_t i = 0; i < x.size(); ++i)
            x[i] = static_cast<float>(i % 5) - 2.0F;
        double expected[2] = {0, 0};
        for (size_t i = 0; i < 128; ++i)
            expected[i / 64] += static_cast<double>(rows[i]) * x[i % 64];
        const std::string text =
            "param %0 \"x\" : f32[1, 64] io param %1 \"w\" : " + std::string(info(e).text) +
            "[2, 64] weights %2 = matmul(%0, %1) : f32[1, 2] transient return %2";
        EXPECT_THAT(
            first_result(text, {{"x", floats({1, 64}, x)}, {"w", w}}),
            ElementsAre(FloatEq(static_cast<float>(expected[0])), FloatEq(static_cast<float>(expected[1]))))
            << info(e).text;
    }
}

TEST(Evaluate, QuantizedActivationsAreWhatTheirCodesSay) {
    const std::string text = R"(param %0 "x" : f32[1, 32] io param %1 "w" : f32[1, 32] weights
        %2, %3 = fused(%0, %1) : q8a[1, 32] transient, f32[1, 1] transient body {
            param %0 : f32[1, 32] io param %1 : f32[1, 32] weights
            %2 = quantize(%0) : q8a[1, 32] transient %3 = matmul(%2, %1) : f32[1, 1] transient return %2, %3 }
        return %2, %3)";
    std::vector<float> x(32, 0.0F), w(32, 0.0F);
    x[0] = 127.0F;
    x[1] = 10.4F; // becomes 10
    w[0] = 1.0F;
    w[1] = 1.0F;
    const std::vector<Tensor> r =
        evaluate(parse("graph \"g\" phase fused {" + text + "}"),
                 {.params = {{"x", floats({1, 32}, x)}, {"w", floats({1, 32}, w)}}});
    EXPECT_EQ(r[0].element, Element::q8a);
    EXPECT_EQ(r[0].to_floats()[1], 10.0F);
    EXPECT_EQ(r[1].to_floats()[0], 137.0F);
}

TEST(Evaluate, RopeRotatesAdjacentPairs) {
    const std::string text = R"(param %0 "x" : f32[2, 8] io param %1 "positions" : i32[2] io
        %2 = constant() {values = [0.5]} : f32[1] weights
        %3 = rope_angles(%1, %2) {head_dim = 4} : f32[2, 4] transient
        %4 = rope(%0, %3) {head_dim = 4} : f32[2, 8] transient return %4, %3)";
    const std::vector<Tensor> r = evaluate(
        graph(text), {.params = {{"x", floats({2, 8}, {1, 0, 5, 6, 0, 1, 7, 8, 1, 2, 3, 4, 5, 6, 7, 8})},
                                 {"positions", ints({2}, {3, 0})}}});
    const float c = std::cos(1.5F), s = std::sin(1.5F);
    EXPECT_THAT(r[1].to_floats(), ElementsAre(FloatEq(c), FloatEq(s), 1, 0, 1, 0, 1, 0));
    EXPECT_THAT(r[0].to_floats(), ElementsAre(FloatEq(c), FloatEq(s), 5, 6, FloatEq(-s), FloatEq(c), 7, 8, 1,
                                              2, 3, 4, 5, 6, 7, 8));
}

constexpr std::string_view cache_text = R"(symbol T = 1..8 symbol B = 1..2
    param %0 "q" : f32[T, 2] io param %1 "k" : f32[T, 1] io param %2 "v" : f32[T, 1] io
    param %3 "kc" : f32[3, 1, 2, 1] state param %4 "vc" : f32[3, 1, 2, 1] kv_channels state
    param %5 "positions" : i32[T] io param %6 "seqs" : i32[T] io param %7 "pages" : i32[B, 2] io
    %8 = kv_append(%3, %1, %5, %6, %7) : f32[3, 1, 2, 1] state
    %9 = kv_append(%4, %2, %5, %6, %7) : f32[3, 1, 2, 1] kv_channels state
    %10 = attention(%0, %8, %9, %5, %6, %7) {scale = 2.0} : f32[T, 2] transient
    return %10, %8, %9)";

std::map<std::string, Tensor, std::less<>> cache_params() {
    return {{"q", floats({2, 2}, {0, 1, 0.5, 0})},
            {"k", floats({2, 1}, {1, 3})},
            {"v", floats({2, 1}, {10, 20})},
            {"kc", floats({3, 1, 2, 1}, {-1, -2, -3, 0.5, 0, -6})},
            {"vc", floats({3, 1, 2, 1}, {-1, -2, -3, 100, 200, -6})},
            {"positions", ints({2}, {2, 0})},
            {"seqs", ints({2}, {1, 0})},
            {"pages", ints({2, 2}, {0, -1, 1, 2})}};
}

TEST(Evaluate, AttentionOverAPagedCache) {
    // Token 0 is at position 2 of sequence 1, on page 2; its positions 0 and 1 lie on page 1. Token 1 is
    // alone.
    std::map<std::string, Tensor, std::less<>> params = cache_params();
    const std::vector<Tensor> r = evaluate(graph(std::string(cache_text)), {.params = params});
    EXPECT_THAT(r[1].to_floats(), ElementsAre(3, -2, -3, 0.5, 1, -6));
    EXPECT_THAT(r[2].to_floats(), ElementsAre(20, -2, -3, 100, 10, -6));
    // Head 0 of token 0 has scores 0; head 1 has 2·(-3, 0.5, 1).
    const double e0 = std::exp(-6.0), e1 = std::exp(1.0), e2 = std::exp(2.0);
    EXPECT_THAT(r[0].to_floats(),
                ElementsAre(FloatEq(107.0F / 3.0F),
                            FloatEq(static_cast<float>((-3 * e0 + 100 * e1 + 10 * e2) / (e0 + e1 + e2))), 20,
                            20));
    EXPECT_THAT(params["kc"].to_floats(), ElementsAre(-1, -2, -3, 0.5, 0, -6))
        << "the caller's cache was changed";
}

TEST(Evaluate, AddressesOutOfRangeAreErrors) {
    const auto message = [](const std::string& name, const Tensor& tensor) {
        std::map<std::string, Tensor, std::less<>> params = cache_params();
        params[name] = tensor;
        try {
            evaluate(graph(std::string(cache_text)), {.params = std::move(params)});
        } catch (const Error& e) {
            return std::string(e.what());
        }
        return std::string("no error");
    };
    EXPECT_EQ(message("seqs", ints({2}, {1, 2})), "node %8 kv_append: token 1 is of sequence 2 of 2");
    EXPECT_EQ(message("seqs", ints({2}, {-1, 0})), "node %8 kv_append: token 0 is of sequence -1 of 2");
    EXPECT_EQ(message("positions", ints({2}, {4, 0})),
              "node %8 kv_append: token 0 is at position 4; a sequence has 2 pages of 2");
    EXPECT_EQ(message("positions", ints({2}, {-1, 0})),
              "node %8 kv_append: token 0 is at position -1; a sequence has 2 pages of 2");
    EXPECT_EQ(message("positions", ints({2}, {2, 2})),
              "node %8 kv_append: position 2 of sequence 0 is on page -1 of 3");
    EXPECT_EQ(message("pages", ints({2, 2}, {0, -1, 3, 2})),
              "node %10 attention: position 0 of sequence 1 is on page 3 of 3");
    EXPECT_EQ(message("pages", ints({1, 2}, {0, 1})), "node %8 kv_append: token 0 is of sequence 1 of 1");
}

TEST(Evaluate, BindingsAreChecked) {
    const std::string text =
        R"(symbol T = 1..4 symbol S = 2..3 param %0 "x" : f32[T, 2] io param %1 "y" : f32[T, S] io
        %2 = neg(%0) : f32[T, 2] transient return %2)";
    const auto message = [&](const EvalInputs& inputs) {
        try {
            evaluate(graph(text), inputs);
        } catch (const Error& e) {
            return std::string(e.what());
        }
        return std::string("no error");
    };
    const Tensor x = floats({1, 2}, {1, 2}), y = floats({1, 3}, {1, 2, 3});
    EXPECT_EQ(message({.params = {{"x", x}, {"y", y}}}), "no error");
    EXPECT_EQ(message({.params = {{"x", x}}}), "param 'y': no tensor is bound to it");
    EXPECT_EQ(message({.params = {{"x", x}, {"y", floats({2, 2}, {1, 2, 3, 4})}}}),
              "param 'y': it is f32[T, S] io, the tensor bound to it is f32[2, 2]");
    EXPECT_EQ(message({.params = {{"x", ints({1, 2}, {1, 2})}, {"y", y}}}),
              "param 'x': it is f32[T, 2] io, the tensor bound to it is i32[1, 2]");
    EXPECT_EQ(message({.params = {{"x", x}, {"y", floats({1, 1}, {1})}}}),
              "symbol S: it is 1, outside of 2..3");
    EXPECT_EQ(message({.params = {{"x", x}, {"y", y}}, .symbols = {{"T", 2}}}),
              "param 'x': it is f32[T, 2] io, the tensor bound to it is f32[1, 2]");
    Tensor cut = x;
    cut.data = cut.data.first(4);
    EXPECT_EQ(message({.params = {{"x", cut}, {"y", y}}}), "tensor: 4 bytes are given, 8 are needed");
    // Weights may come from the model.
    const Weights weights = {{"x", x}, {"y", y}};
    EXPECT_EQ(message({.weights = &weights}), "no error");
    EXPECT_THROW(evaluate(graph("symbol T = 1..2 return"), {}), Error) << "T has no value";
    EXPECT_NO_THROW(evaluate(graph("symbol T = 1..2 return"), {.symbols = {{"T", 2}}}));
}

// Large enough for threads; each token's numbers must not depend on how the work was shared.
TEST(Evaluate, TokensTogetherAreTokensApart) {
    const std::string text = R"(symbol T = 1..64 symbol B = 1..64
        param %0 "x" : f32[T, 64] io param %1 "w" : q8_0[3000, 64] weights
        param %2 "kc" : f32[64, 2, 64, 16] state param %3 "vc" : f32[64, 2, 64, 16] state
        param %4 "positions" : i32[T] io param %5 "seqs" : i32[T] io param %6 "pages" : i32[B, 1] io
        %7 = matmul(%0, %1) : f32[T, 3000] transient
        %8 = attention(%0, %2, %3, %4, %5, %6) {scale = 0.25} : f32[T, 64] transient
        return %7, %8)";
    const uint64_t seed = std::random_device{}();
    SCOPED_TRACE(seed);
    const Graph g = graph(text);
    EvalInputs inputs = test::random_inputs(g, seed);
    std::vector<float> x(64 * 64);
    std::vector<int32_t> positions(64), seqs(64);
    std::mt19937_64 random(seed);
    for (float& f : x)
        f = static_cast<float>(random() % 1000) / 500.0F - 1.0F;
    for (size_t t = 0; t < 64; ++t) {
        positions[t] = static_cast<int32_t>(random() % 64);
        seqs[t] = static_cast<int32_t>(t);
    }
    std::vector<int32_t> pages(seqs.rbegin(), seqs.rend());
    const auto run = [&](size_t begin, size_t count) {
        const auto n = static_cast<int64_t>(count);
        inputs.params["x"] = Tensor::from_floats({n, 64}, std::span(x).subspan(begin * 64, count * 64));
        inputs.params["positions"] = Tensor::from_ints({n}, std::span(positions).subspan(begin, count));
        inputs.params["seqs"] = Tensor::from_ints({n}, std::span(seqs).subspan(begin, count));
        inputs.params["pages"] = Tensor::from_ints({64, 1}, pages);
        inputs.symbols = {};
        return evaluate(g, inputs);
    };
    const std::vector<Tensor> all = run(0, 64);
    for (const size_t t : {size_t{0}, size_t{31}, size_t{63}}) {
        const std::vector<Tensor> one = run(t, 1);
        for (size_t r = 0; r < 2; ++r) {
            const size_t bytes = one[r].data.size();
            EXPECT_EQ(std::memcmp(one[r].data.data(), all[r].data.data() + t * bytes, bytes), 0)
                << t << " " << r;
        }
    }
}

TEST(Evaluate, NanStaysNan) {
    std::map<std::string, Tensor, std::less<>> params = cache_params();
    params["k"] = floats({2, 1}, {std::nanf(""), 3});
    const std::vector<Tensor> r = evaluate(graph(std::string(cache_text)), {.params = params});
    EXPECT_TRUE(std::isnan(r[0].to_floats()[1]));
}

TEST(Evaluate, RefusesAGraphThatIsNotWellFormed) {
    EXPECT_THROW(evaluate(graph("%0 = neg(%7) : f32[1] transient return %0"), {}), Error);
}

} // namespace
} // namespace ingot::ir
