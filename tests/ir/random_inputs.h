// Random tensors for the params of any graph, in any phase: weights, activations, ids that are in range, page
// tables.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstring>
#include <numeric>
#include <random>
#include <string>
#include <vector>

#include "ir/evaluate.h"
#include "ir/float16.h"
#include "ir/graph.h"

namespace ingot::test {

// What an i32 param is for, as its readers (also inside of bodies) tell.
struct IntRole {
    enum Kind { plain, index, position, sequence, pages } kind = plain;
    ir::Dim bound = 1; // index: ids are below it; position: positions of a page; pages: pages of the cache
};

inline IntRole int_role(const ir::Graph& g, ir::ValueId v) {
    IntRole role;
    for (const ir::Node& n : g.nodes)
        for (size_t i = 0; i < n.operands.size(); ++i) {
            if (n.operands[i] != v) continue;
            const auto dim = [&](size_t operand, size_t d) { return g.type(n.operands[operand]).dims[d]; };
            const size_t first = n.op == ir::Op::kv_append ? 2 : 3; // operand with the positions
            IntRole found;
            if (n.op == ir::Op::embed) found = {IntRole::index, dim(1, 0)};
            if (n.op == ir::Op::gather_rows) found = {IntRole::index, dim(0, 0)};
            if (n.op == ir::Op::rope_angles) found = {IntRole::position, 1};
            if (n.op == ir::Op::kv_append || n.op == ir::Op::attention) {
                const size_t cache = first - 2;
                if (i == first) found = {IntRole::position, dim(cache, 2)};
                if (i == first + 1) found = {IntRole::sequence, 1};
                if (i == first + 2) found = {IntRole::pages, dim(cache, 0)};
            }
            if (n.body != ir::no_id) found = int_role(g.bodies[n.body], g.bodies[n.body].params[i]);
            if (role.kind == IntRole::plain || found.bound.constant() > role.bound.constant()) role = found;
        }
    return role;
}

class RandomInputs {
  public:
    RandomInputs(const ir::Graph& g, uint64_t seed) : g_(g), random_(seed) {}

    ir::EvalInputs make() {
        ir::EvalInputs inputs;
        for (const ir::Symbol& s : g_.symbols) {
            const int64_t most = std::min<int64_t>(s.max, s.min + 16);
            symbols_.push_back(std::uniform_int_distribution<int64_t>(s.min, most)(random_));
            inputs.symbols[s.name] = symbols_.back();
        }
        place_tokens();
        for (const ir::ValueId v : g_.params)
            inputs.params[g_.values[v].name] = tensor(v);
        return inputs;
    }

  private:
    int64_t extent(ir::Dim d) const { return d.is_symbol() ? symbols_[d.symbol_index()] : d.constant(); }
    std::vector<int64_t> extents(const ir::Type& t) const {
        std::vector<int64_t> dims;
        for (const ir::Dim d : t.dims)
            dims.push_back(extent(d));
        return dims;
    }
    double real(double low, double high) {
        return std::uniform_real_distribution<double>(low, high)(random_);
    }
    int64_t integer(int64_t past) { return std::uniform_int_distribution<int64_t>(0, past - 1)(random_); }

    // Gives each token a sequence and the next position in it, all in reach of the page tables.
    void place_tokens() {
        int64_t tokens = 1, sequences = 1, capacity = 8;
        for (const ir::ValueId v : g_.params) {
            if (g_.type(v).element != ir::Element::i32) continue;
            const IntRole role = int_role(g_, v);
            if (role.kind == IntRole::position) tokens = std::max(tokens, extent(g_.type(v).dims[0]));
            if (role.kind != IntRole::pages) continue;
            sequences = extent(g_.type(v).dims[0]);
            capacity = extent(g_.type(v).dims[1]) * page_positions();
        }
        std::vector<int64_t> next;
        for (int64_t s = 0; s < sequences; ++s)
            next.push_back(capacity > tokens ? integer(capacity - tokens) : 0);
        for (int64_t t = 0; t < tokens; ++t) {
            const int64_t s = integer(sequences);
            seqs_.push_back(static_cast<int32_t>(s));
            positions_.push_back(static_cast<int32_t>(next[static_cast<size_t>(s)]++ % capacity));
        }
    }
    int64_t page_positions() const {
        for (const ir::ValueId v : g_.params)
            if (g_.type(v).element == ir::Element::i32)
                if (const IntRole role = int_role(g_, v);
                    role.kind == IntRole::position && extent(role.bound) > 1)
                    return extent(role.bound);
        return 1;
    }

    ir::Tensor tensor(ir::ValueId v) {
        const ir::Type& t = g_.type(v);
        if (t.element == ir::Element::i32) return ints(v);
        ir::Tensor out = ir::Tensor::zeros(t.element, extents(t));
        if (ir::is_quantized(t.element))
            fill_blocks(t.element, *out.owned);
        else
            fill_floats(t, *out.owned);
        return out;
    }

    ir::Tensor ints(ir::ValueId v) {
        const IntRole role = int_role(g_, v);
        const std::vector<int64_t> dims = extents(g_.type(v));
        std::vector<int32_t> values;
        for (int64_t i = std::accumulate(dims.begin(), dims.end(), int64_t{1}, std::multiplies<>()); i > 0;
             --i)
            values.push_back(role.kind == IntRole::index ? static_cast<int32_t>(integer(extent(role.bound)))
                                                         : 0);
        const std::vector<int32_t>& placed = role.kind == IntRole::position ? positions_ : seqs_;
        if (role.kind == IntRole::position || role.kind == IntRole::sequence)
            std::copy_n(placed.begin(), std::min(placed.size(), values.size()), values.begin());
        if (role.kind == IntRole::pages) { // every page belongs to one sequence at most, in no order
            std::vector<int32_t> pages(static_cast<size_t>(extent(role.bound)));
            std::iota(pages.begin(), pages.end(), 0);
            std::shuffle(pages.begin(), pages.end(), random_);
            std::copy_n(pages.begin(), std::min(pages.size(), values.size()), values.begin());
        }
        return ir::Tensor::from_ints(dims, values);
    }

    void fill_floats(const ir::Type& t, std::vector<std::byte>& bytes) {
        const bool vector = t.pool == ir::Pool::weights && t.dims.size() == 1; // norms and biases: about 1
        const bool matrix = t.pool == ir::Pool::weights && t.dims.size() == 2;
        const double bound = matrix ? 1.0 / std::sqrt(static_cast<double>(extent(t.dims.back()))) : 1.0;
        const size_t width = ir::info(t.element).block_bytes;
        for (size_t i = 0; i < bytes.size(); i += width) {
            const auto f = static_cast<float>(vector ? real(0.5, 1.5) : real(-bound, bound));
            const uint16_t half = t.element == ir::Element::f16 ? ir::f32_to_f16(f) : ir::f32_to_bf16(f);
            if (width == 4)
                std::memcpy(bytes.data() + i, &f, 4);
            else
                std::memcpy(bytes.data() + i, &half, 2);
        }
    }

    // Random codes under small scales, and minima that bring the values about zero.
    void fill_blocks(ir::Element element, std::vector<std::byte>& bytes) {
        for (std::byte& b : bytes)
            b = static_cast<std::byte>(integer(256));
        const bool has_min = element == ir::Element::q4_1 || element == ir::Element::q5_1;
        const double steps = element == ir::Element::q8_0                                   ? 256.0
                             : element == ir::Element::q5_0 || element == ir::Element::q5_1 ? 32.0
                                                                                            : 16.0;
        for (size_t i = 0; i < bytes.size(); i += ir::info(element).block_bytes) {
            const double scale = real(0.1, 0.4) / steps;
            const uint16_t d =
                ir::f32_to_f16(static_cast<float>(has_min || real(0, 1) < 0.5 ? scale : -scale));
            const uint16_t m = ir::f32_to_f16(static_cast<float>(-scale * steps / 2.0));
            std::memcpy(bytes.data() + i, &d, 2);
            if (has_min) std::memcpy(bytes.data() + i + 2, &m, 2);
        }
    }

    const ir::Graph& g_;
    std::mt19937_64 random_;
    std::vector<int64_t> symbols_;
    std::vector<int32_t> positions_, seqs_;
};

inline ir::EvalInputs random_inputs(const ir::Graph& g, uint64_t seed) {
    return RandomInputs(g, seed).make();
}

// |a - b|² / |b|² over all elements; infinite if shapes differ or a number is not finite.
inline double nmse(const ir::Tensor& a, const ir::Tensor& b) {
    if (a.element != b.element || a.dims != b.dims) return INFINITY;
    const std::vector<float> x = a.to_floats(), y = b.to_floats();
    double difference = 0.0, norm = 0.0;
    for (size_t i = 0; i < x.size(); ++i) {
        difference += (static_cast<double>(x[i]) - y[i]) * (static_cast<double>(x[i]) - y[i]);
        norm += static_cast<double>(y[i]) * y[i];
    }
    if (difference == 0.0) return std::isfinite(norm) ? 0.0 : INFINITY;
    const double ratio = norm == 0.0 ? INFINITY : difference / norm;
    return std::isfinite(ratio) ? ratio : INFINITY;
}

} // namespace ingot::test
