// Bodies of fused nodes, made by hand: the kernels of a decoder layer in any shape.
#pragma once

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "codegen/kernel_compiler.h"
#include "ir/graph.h"

namespace ingot::codegen::test {

// Rows of a step: one at compile time, or up to 600.
enum class Rows { one, many };

class Body {
  public:
    explicit Body(Rows rows);

    // A draft: params may come after nodes.
    ir::Graph g;
    // The graph in the order that ir::Graph wants.
    ir::Graph finish() const;
    ir::Dim tokens() const { return tokens_; }

    ir::ValueId activations(int64_t columns, ir::Element e = ir::Element::f32);
    ir::ValueId vector(int64_t columns); // of the weights
    ir::ValueId weight(ir::Element e, int64_t rows, int64_t cols, ir::Layout layout = ir::Layout::panel16);
    ir::ValueId ids();
    ir::ValueId page_table();
    ir::ValueId cache(int64_t heads, int64_t channels, ir::Layout layout, ir::Element e = ir::Element::f16);
    ir::ValueId add(ir::Op op, std::vector<ir::ValueId> operands, std::vector<ir::Attr> attrs = {}) {
        return g.add(op, std::move(operands), std::move(attrs));
    }
    ir::ValueId slice(ir::ValueId v, int64_t begin, int64_t end);
    ir::ValueId norm(ir::ValueId x);
    void result(ir::ValueId v) { g.results.push_back(v); }
    // A product's input that several tokens have is a result too, as the passes make it.
    void shared(ir::ValueId v) {
        if (many_) result(v);
    }

    ir::ValueId param(ir::Type type);

  private:
    ir::Dim tokens_ = 1;
    bool many_ = false;
};

inline constexpr int64_t pages = 6, sequences = 2, pages_per_sequence = 3, page_positions = 32;

// norm, (quantize,) Q/K/V, (bias,) RoPE, KV append.
struct QkvShape {
    int64_t width, heads, kv_heads, head_dim;
    ir::Element element = ir::Element::q4_1;
    bool quantized = true, bias = false;
    Rows rows = Rows::one;
};
ir::Graph qkv_body(const QkvShape& s);

// attention, quantised or not.
ir::Graph attention_body(int64_t heads, int64_t kv_heads, int64_t head_dim, bool quantized, Rows rows,
                         ir::Element cache = ir::Element::f16);

// a product, (bias,) residual.
ir::Graph residual_body(int64_t rows, int64_t cols, ir::Element e, bool quantized, bool bias, Rows tokens);

enum class GateUp { paired, separate };
// norm, gate and up, silu(gate) * up, (quantize).
ir::Graph gate_up_body(int64_t width, int64_t hidden, ir::Element gate, ir::Element up, GateUp form,
                       bool quantized, Rows rows);

// Every host target that this machine runs.
std::vector<const Target*> host_targets();

CompilerOptions compiler_options();

// A body, and how far its kernel's results may be from the reference.
struct Case {
    ir::Graph body;
    double nmse;
    std::string name;
};

// Compiles all bodies for every target and expects every result of each within its limit, whatever the
// threads.
void expect_right(const std::vector<Case>& cases, const std::vector<int64_t>& sizes = {1, 7, 45});

} // namespace ingot::codegen::test
