// Kernels of a decoder layer in many shapes, compiled for each host target that this machine runs, against
// the reference evaluator.
#include "codegen/host_source.h"
#include "kernel_bodies.h"

#include <fmt/format.h>

#include "ir/error.h"

namespace ingot::codegen::test {
namespace {

using namespace ir;

// What is exact but for the order of additions; and where a value may be rounded to another 8-bit code: of
// the 96 or more columns here one such code is (4/127)^2 / 96 = 1e-5 of the whole, if the block's largest
// value is four times the typical one.
constexpr double exact = 1e-11, requantized = 2e-5;

constexpr Element block_formats[] = {Element::q4_0, Element::q4_1, Element::q5_0, Element::q5_1,
                                     Element::q8_0};
constexpr Element float_formats[] = {Element::f32, Element::f16, Element::bf16};

TEST(HostKernels, ResidualProductInEveryFormat) {
    std::vector<Case> cases;
    for (const Rows tokens : {Rows::one, Rows::many}) {
        for (const Element e : block_formats) {
            cases.push_back({residual_body(96, 288, e, true, false, tokens), exact,
                             fmt::format("{} q8a {}", info(e).text, int(tokens))});
            cases.push_back({residual_body(96, 288, e, false, false, tokens), exact,
                             fmt::format("{} f32 {}", info(e).text, int(tokens))});
        }
        for (const Element e : float_formats)
            cases.push_back({residual_body(96, 100, e, false, false, tokens), exact,
                             fmt::format("{} f32 {}", info(e).text, int(tokens))});
    }
    expect_right(cases);
}

TEST(HostKernels, ResidualProductOfPartialPanelsAndOneRow) {
    std::vector<Case> cases;
    for (const int64_t rows : {1, 15, 17, 50}) {
        cases.push_back({residual_body(rows, 64, Element::q4_1, true, true, Rows::many), exact,
                         fmt::format("{} rows, q8a", rows)});
        cases.push_back({residual_body(rows, 33, Element::f16, false, true, Rows::one), exact,
                         fmt::format("{} rows", rows)});
    }
    expect_right(cases);
}

// More tokens than one pass over the weights takes, and rows that are unpacked piece by piece.
TEST(HostKernels, ResidualProductOfManyTokensAndLongRows) {
    std::vector<Case> cases;
    for (const Element e : block_formats)
        cases.push_back({residual_body(50, 2080, e, true, false, Rows::many), exact,
                         fmt::format("{} of 2080 columns", info(e).text)});
    expect_right(cases, {530});
}

TEST(HostKernels, QkvOfManyShapes) {
    std::vector<Case> cases;
    const QkvShape shapes[] = {
        {.width = 288, .heads = 6, .kv_heads = 2, .head_dim = 48},
        {.width = 64,
         .heads = 4,
         .kv_heads = 1,
         .head_dim = 80,
         .element = Element::q8_0,
         .bias = true}, // MQA
        {.width = 96,
         .heads = 3,
         .kv_heads = 3,
         .head_dim = 40,
         .element = Element::q5_0,
         .bias = true}, // straddles panels
        {.width = 96, .heads = 3, .kv_heads = 1, .head_dim = 24, .element = Element::q5_1},
        {.width = 72,
         .heads = 2,
         .kv_heads = 1,
         .head_dim = 64,
         .element = Element::f32,
         .quantized = false,
         .bias = true},
        {.width = 64,
         .heads = 1,
         .kv_heads = 1,
         .head_dim = 256,
         .element = Element::q4_0,
         .quantized = false},
    };
    for (QkvShape s : shapes)
        for (const Rows rows : {Rows::one, Rows::many}) {
            s.rows = rows;
            cases.push_back(
                {qkv_body(s), requantized,
                 fmt::format("qkv {}x{} {} {}", s.heads, s.head_dim, info(s.element).text, int(rows))});
        }
    expect_right(cases);
}

TEST(HostKernels, QkvOfDifferentFormats) {
    std::vector<Case> cases;
    Body b(Rows::many);
    const ValueId x = b.add(Op::quantize, {b.norm(b.activations(64))});
    const ValueId angles = b.activations(32), positions = b.ids(), seqs = b.ids(), table = b.page_table();
    const ValueId q = b.add(Op::matmul, {x, b.weight(Element::q4_0, 128, 64)});
    const ValueId k = b.add(Op::matmul, {x, b.weight(Element::q8_0, 32, 64)});
    const ValueId v = b.add(Op::matmul, {x, b.weight(Element::q5_1, 32, 64)});
    b.result(b.add(Op::rope, {q, angles}, {{"head_dim", int64_t{32}}}));
    const ValueId turned = b.add(Op::rope, {k, angles}, {{"head_dim", int64_t{32}}});
    b.result(b.add(Op::kv_append, {b.cache(1, 32, Layout::kv_channels), turned, positions, seqs, table}));
    b.result(b.add(Op::kv_append, {b.cache(1, 32, Layout::rows), v, positions, seqs, table}));
    b.shared(x);
    cases.push_back({b.finish(), requantized, "three formats"});
    expect_right(cases);
}

TEST(HostKernels, AttentionOfManyShapes) {
    std::vector<Case> cases;
    for (const Rows rows : {Rows::one, Rows::many}) {
        cases.push_back(
            {attention_body(9, 3, 64, true, rows), requantized, fmt::format("gqa {}", int(rows))});
        cases.push_back({attention_body(4, 1, 80, false, rows), exact, fmt::format("mqa {}", int(rows))});
        cases.push_back(
            {attention_body(4, 4, 40, true, rows), requantized, fmt::format("mha {}", int(rows))});
        cases.push_back({attention_body(2, 1, 128, false, rows, Element::f32), exact,
                         fmt::format("f32 cache {}", int(rows))});
    }
    expect_right(cases);
}

TEST(HostKernels, GateAndUp) {
    std::vector<Case> cases;
    for (const Rows rows : {Rows::one, Rows::many}) {
        cases.push_back({gate_up_body(288, 96, Element::q4_1, Element::q4_1, GateUp::paired, true, rows),
                         requantized, fmt::format("paired {}", int(rows))});
        cases.push_back({gate_up_body(64, 50, Element::f16, Element::f16, GateUp::paired, false, rows), exact,
                         fmt::format("paired, 50 {}", int(rows))});
        cases.push_back({gate_up_body(64, 96, Element::q4_0, Element::q8_0, GateUp::separate, true, rows),
                         requantized, fmt::format("separate {}", int(rows))});
        cases.push_back({gate_up_body(64, 90, Element::bf16, Element::f32, GateUp::separate, false, rows),
                         exact, fmt::format("separate, 90 {}", int(rows))});
    }
    expect_right(cases);
}

// Scales of one element, and biases before the columns are parted.
TEST(HostKernels, ScaleAndBiasOverAllColumns) {
    std::vector<Case> cases;
    for (const Rows rows : {Rows::one, Rows::many}) {
        Body b(rows);
        const ValueId x = b.activations(64, Element::q8a);
        ValueId y = b.add(Op::matmul, {x, b.weight(Element::q4_1, 80, 64)});
        y = b.add(Op::mul, {y, b.vector(1)});
        y = b.add(Op::add, {y, b.vector(80)});
        b.result(b.add(Op::gelu, {b.slice(y, 0, 24)}));
        b.result(b.add(Op::relu, {b.slice(b.slice(y, 24, 80), 8, 56)}));
        cases.push_back({b.finish(), exact, fmt::format("scale and bias {}", int(rows))});
    }
    expect_right(cases);
}

TEST(HostKernels, HalvesOfAProductThatIsNotPaired) {
    std::vector<Case> cases;
    Body b(Rows::many);
    const ValueId y = b.add(Op::matmul, {b.activations(32), b.weight(Element::f32, 64, 32)});
    b.result(b.add(Op::mul, {b.slice(y, 0, 32), b.slice(y, 32, 64)}));
    cases.push_back({b.finish(), exact, "halves"});
    expect_right(cases);
}

TEST(HostKernels, HeadWithGatherAndArgmax) {
    std::vector<Case> cases;
    for (const int64_t vocabulary : {1000, 16, 3}) {
        Body b(Rows::many);
        const ValueId hidden =
            b.param({.element = Element::f32, .dims = {64, 96}, .layout = Layout::rows, .pool = Pool::io});
        const ValueId x = b.add(Op::quantize, {b.norm(b.add(Op::gather_rows, {hidden, b.ids()}))});
        const ValueId logits = b.add(Op::matmul, {x, b.weight(Element::q8_0, vocabulary, 96)});
        b.result(logits);
        b.result(b.add(Op::argmax, {logits}));
        b.shared(x);
        cases.push_back({b.finish(), exact, fmt::format("head of {}", vocabulary)});
    }
    expect_right(cases);
}

TEST(HostKernels, EmbeddingAndAngles) {
    std::vector<Case> cases;
    for (const Element e : {Element::q4_1, Element::q5_0, Element::q8_0, Element::f16, Element::f32}) {
        Body b(Rows::many);
        b.result(b.add(Op::embed, {b.ids(), b.weight(e, 77, 96)}));
        b.result(b.add(Op::rope_angles, {b.ids(), b.vector(20)}, {{"head_dim", int64_t{48}}}));
        cases.push_back({b.finish(), 1e-10, fmt::format("embed {}", info(e).text)});
    }
    expect_right(cases);
}

TEST(HostKernels, RowsWithoutAProduct) {
    std::vector<Case> cases;
    Body b(Rows::many);
    const ValueId a = b.activations(50), c = b.activations(50);
    const ValueId n = b.norm(b.add(Op::sub, {b.add(Op::sigmoid, {a}), b.add(Op::neg, {c})}));
    b.result(n);
    b.result(b.add(Op::div, {b.slice(n, 3, 40), b.add(Op::add, {b.vector(1), b.vector(37)})}));
    cases.push_back({b.finish(), 1e-8, "pointwise"});
    Body r(Rows::many);
    const ValueId x = r.activations(48), angles = r.activations(24);
    const ValueId turned = r.add(Op::rope, {x, angles}, {{"head_dim", int64_t{24}}});
    r.result(turned);
    r.result(r.add(Op::argmax, {x}));
    r.result(r.add(Op::kv_append,
                   {r.cache(2, 24, Layout::kv_channels), turned, r.ids(), r.ids(), r.page_table()}));
    cases.push_back({r.finish(), requantized, "rope and append"});
    Body q(Rows::many);
    q.result(q.add(Op::quantize, {q.activations(96)}));
    cases.push_back({q.finish(), requantized, "quantize"});
    expect_right(cases);
}

void expect_refused(const Graph& body, const std::string& part) {
    try {
        host_kernel_source(body, "blk.7.test");
        ADD_FAILURE() << "accepted: " << part;
    } catch (const Error& e) {
        EXPECT_NE(std::string(e.what()).find("blk.7.test"), std::string::npos) << e.what();
        EXPECT_NE(std::string(e.what()).find(part), std::string::npos) << e.what();
    }
}

TEST(HostKernels, RefusesWhatItHasNoKernelFor) {
    {
        Body b(Rows::many); // the norm is computed by nobody for all threads
        const ValueId x = b.norm(b.activations(64));
        b.result(b.add(Op::matmul, {x, b.weight(Element::f32, 32, 64)}));
        expect_refused(b.finish(), "rms_norm");
    }
    {
        Body b(Rows::one);
        const ValueId y = b.add(Op::matmul, {b.activations(64), b.weight(Element::f32, 64, 64)});
        b.result(b.norm(y));
        expect_refused(b.finish(), "rms_norm");
    }
    {
        Body b(Rows::one);
        const ValueId y = b.add(Op::matmul, {b.activations(64), b.weight(Element::f32, 32, 64)});
        b.result(b.add(Op::matmul, {y, b.weight(Element::f32, 32, 32)}));
        expect_refused(b.finish(), "matmul");
    }
    {
        Body b(Rows::one); // weights in the file's order
        b.result(b.add(Op::matmul, {b.activations(64), b.weight(Element::q4_0, 32, 64, Layout::rows)}));
        expect_refused(b.finish(), "packed");
    }
    {
        Body b(Rows::one); // the choice without the logits
        const ValueId y = b.add(Op::matmul, {b.activations(64), b.weight(Element::f32, 32, 64)});
        b.result(b.add(Op::argmax, {y}));
        expect_refused(b.finish(), "argmax");
    }
}

} // namespace
} // namespace ingot::codegen::test
