// Random well-formed graphs and random inputs for any graph, for tests of every room that works on graphs.
#pragma once

#include <algorithm>
#include <cmath>
#include <random>
#include <string>
#include <vector>

#include "ir/graph.h"
#include "ir/infer.h"
#include "tests/ir/draft_graph.h"
#include "tests/ir/random_inputs.h"

namespace ingot::test {

struct RandomGraphOptions {
    int most_steps = 14;        // each adds one to ten nodes
    bool caches = true;         // KV caches with kv_append and attention
    bool symbols = true;        // T, B and O as symbols; else constants
    bool argmax = true;         // may have i32 results
    int64_t page_positions = 4; // of a cache; host kernels take multiples of 16
};

// Draws a graph of phase `imported` step by step. Params come up on the way and are put first at the end.
class RandomGraph {
  public:
    RandomGraph(uint64_t seed, const RandomGraphOptions& options) : random_(seed), options_(options) {}

    ir::Graph make() {
        g_.name = "random";
        tokens_ = extent("T", 1, 6);
        sequences_ = extent("B", 1, 3);
        values_ = {matrix_param(width())};
        if (chance(0.5)) values_.push_back(embedding());
        const int steps = between(1, options_.most_steps);
        for (int i = 0; i < steps; ++i)
            step();
        finish();
        return params_first(g_);
    }

  private:
    // An f32[T, columns] value, with a rough bound on log2 of its elements so that chains of products stay
    // finite.
    struct Matrix {
        ir::ValueId id;
        int64_t columns;
        double log_size;
    };

    int between(int low, int high) { return std::uniform_int_distribution<int>(low, high)(random_); }
    bool chance(double p) { return std::uniform_real_distribution<double>(0.0, 1.0)(random_) < p; }
    template <class T>
    const T& pick(const std::vector<T>& of) {
        return of[static_cast<size_t>(between(0, static_cast<int>(of.size()) - 1))];
    }
    int64_t width() { return pick(std::vector<int64_t>{32, 32, 64, 64, 96, 12, 7}); }

    ir::Dim extent(const char* name, int64_t min, int64_t max) {
        if (!options_.symbols) return {between(static_cast<int>(min), static_cast<int>(max))};
        return ir::Dim::symbol(g_.add_symbol({.name = name, .min = min, .max = max}));
    }

    ir::ValueId param(const std::string& stem, ir::Type type) {
        return draft_param(g_, stem + "." + std::to_string(g_.params.size()), std::move(type));
    }
    ir::ValueId once(ir::ValueId& id, const char* stem, ir::Type type) {
        if (id == ir::no_id) id = param(stem, std::move(type));
        return id;
    }
    ir::Type ints(std::vector<ir::Dim> dims) {
        return {.element = ir::Element::i32, .dims = std::move(dims), .pool = ir::Pool::io};
    }
    ir::ValueId positions() { return once(positions_, "positions", ints({tokens_})); }
    ir::ValueId seqs() { return once(seqs_, "seqs", ints({tokens_})); }
    ir::ValueId pages() { return once(pages_, "pages", ints({sequences_, pages_a_sequence})); }

    ir::ValueId weight_param(int64_t rows, int64_t columns) {
        using enum ir::Element;
        const std::vector<ir::Element> any = {f32, f16, bf16, q4_0, q4_1, q5_0, q5_1, q8_0};
        const std::vector<ir::Element> floats = {f32, f16, bf16};
        return weight_of(pick(columns % 32 == 0 ? any : floats), rows, columns);
    }
    ir::ValueId weight_of(ir::Element element, int64_t rows, int64_t columns) {
        return param("weight", {.element = element, .dims = {rows, columns}, .pool = ir::Pool::weights});
    }
    ir::ValueId vector_param(const char* stem, int64_t columns) {
        return param(stem, {.dims = {columns}, .pool = ir::Pool::weights});
    }
    Matrix matrix_param(int64_t columns) {
        return {param("x", {.dims = {tokens_, columns}, .pool = ir::Pool::io}), columns, 0.0};
    }
    Matrix embedding() {
        const int64_t columns = width();
        const ir::ValueId table = weight_param(between(3, 40), columns);
        const ir::ValueId ids = param("tokens", ints({tokens_}));
        return {g_.add(ir::Op::embed, {ids, table}), columns, 0.0};
    }
    ir::ValueId constant(std::vector<double> values) {
        const auto count = static_cast<int64_t>(values.size());
        const ir::NodeId n = g_.add_node(ir::Op::constant, {}, {{.dims = {count}, .pool = ir::Pool::weights}},
                                         {{"values", std::move(values)}});
        return g_.nodes[n].results[0];
    }
    ir::ValueId constant_of(int64_t count) {
        std::vector<double> values(static_cast<size_t>(count));
        for (double& v : values)
            v = static_cast<float>(between(2, 16)) / 8.0;
        if (count > 1 || chance(0.8)) return constant(std::move(values));
        // Sometimes one that can be folded.
        return g_.add(ir::Op::mul, {constant({2.0}), constant(std::move(values))});
    }

    void step() {
        const Matrix x = pick(values_);
        switch (between(0, 9)) {
        case 0:
            return unary(x);
        case 1:
        case 2:
            return binary(x);
        case 3:
            return values_.push_back(normed(x));
        case 4:
            return values_.push_back(product(x, width()));
        case 5:
            return projections(x);
        case 6:
            return slice(x);
        case 7:
            return gated(x);
        case 8:
            return rotate(x);
        default:
            return options_.caches ? attention(x) : unary(x);
        }
    }

    void unary(const Matrix& x) {
        using enum ir::Op;
        const ir::Op op = pick(std::vector<ir::Op>{neg, sigmoid, silu, gelu, relu});
        values_.push_back({g_.add(op, {x.id}), x.columns, x.log_size});
        if (chance(0.2)) values_.push_back({g_.add(op, {x.id}), x.columns, x.log_size}); // for CSE
    }

    void binary(const Matrix& wild) {
        using enum ir::Op;
        const Matrix x = wild.log_size > 8.0 ? normed(wild) : wild;
        std::vector<Matrix> others;
        for (const Matrix& v : values_)
            if (v.columns == x.columns && v.log_size <= 8.0) others.push_back(v);
        ir::Op op = pick(std::vector<ir::Op>{add, sub, mul, add});
        if (!others.empty() && chance(0.7)) {
            const Matrix y = pick(others);
            const double size = op == mul ? x.log_size + y.log_size : std::max(x.log_size, y.log_size) + 1.0;
            values_.push_back({g_.add(op, {x.id, y.id}), x.columns, size});
            return;
        }
        ir::ValueId other = ir::no_id;
        switch (between(0, 2)) {
        case 0:
            other = vector_param("bias", x.columns);
            break;
        case 1:
            other = constant_of(1);
            break;
        default:
            other = constant_of(x.columns);
            if (chance(0.3)) op = div;
        }
        const bool swapped = op != div && chance(0.3);
        values_.push_back({g_.add(op, swapped ? std::vector{other, x.id} : std::vector{x.id, other}),
                           x.columns, x.log_size + 2.0});
    }

    Matrix normed(const Matrix& x) {
        const ir::ValueId weight = vector_param("norm", x.columns);
        const double eps = chance(0.5) ? 1e-5 : 1e-6;
        return {g_.add(ir::Op::rms_norm, {x.id, weight}, {{"eps", eps}}), x.columns, 2.0};
    }

    Matrix product(const Matrix& x, int64_t rows) {
        const ir::ValueId weight = weight_param(rows, x.columns);
        const auto name = "linear." + std::to_string(g_.nodes.size());
        return {g_.add(ir::Op::matmul, {x.id, weight}, {}, name), rows, x.log_size + 3.0};
    }

    // Several products of one input, apart or with their weights joined and the result taken apart.
    void projections(const Matrix& x) {
        const ir::Element element = x.columns % 32 == 0 ? ir::Element::q4_1 : ir::Element::f32;
        std::vector<int64_t> rows;
        std::vector<ir::ValueId> weights;
        for (int i = between(2, 3); i > 0; --i) {
            rows.push_back(32 * between(1, 2));
            weights.push_back(weight_of(element, rows.back(), x.columns));
        }
        if (chance(0.5)) {
            for (size_t i = 0; i < rows.size(); ++i)
                values_.push_back({g_.add(ir::Op::matmul, {x.id, weights[i]}), rows[i], x.log_size + 3.0});
            return;
        }
        const ir::ValueId joined = g_.add(ir::Op::matmul, {x.id, g_.add(ir::Op::concat_rows, weights)});
        int64_t begin = 0;
        for (const int64_t r : rows) {
            values_.push_back({cut(joined, begin, begin + r), r, x.log_size + 3.0});
            begin += r;
        }
    }

    ir::ValueId cut(ir::ValueId x, int64_t begin, int64_t end) {
        return g_.add(ir::Op::slice_cols, {x}, {{"begin", begin}, {"end", end}});
    }
    void slice(const Matrix& x) {
        const int64_t begin = between(0, static_cast<int>(x.columns) - 1);
        const int64_t end = between(static_cast<int>(begin) + 1, static_cast<int>(x.columns));
        values_.push_back({cut(x.id, begin, end), end - begin, x.log_size});
    }

    // The shape of a feed-forward block: norm, gate and up, activation, down, residual.
    void gated(const Matrix& x) {
        const Matrix h = normed(x);
        const int64_t inner = 32 * between(1, 3);
        const Matrix gate = product(h, inner), up = product(h, inner);
        const ir::ValueId active = g_.add(ir::Op::silu, {gate.id});
        const Matrix both{g_.add(ir::Op::mul, {active, up.id}), inner, 6.0};
        const Matrix down = product(both, x.columns);
        values_.push_back({g_.add(ir::Op::add, {x.id, down.id}), x.columns, std::max(x.log_size, 8.0) + 1.0});
    }

    ir::ValueId angles(int64_t head_dim) {
        std::vector<double> inv_freq;
        const int64_t pairs = chance(0.8) ? head_dim / 2 : std::max<int64_t>(1, head_dim / 4);
        for (int64_t i = 0; i < pairs; ++i)
            inv_freq.push_back(static_cast<float>(
                std::pow(10000.0, -2.0 * static_cast<double>(i) / static_cast<double>(head_dim))));
        return g_.add(ir::Op::rope_angles, {positions(), constant(std::move(inv_freq))},
                      {{"head_dim", head_dim}});
    }
    Matrix rotated(const Matrix& x, int64_t head_dim) {
        return {g_.add(ir::Op::rope, {x.id, angles(head_dim)}, {{"head_dim", head_dim}}), x.columns,
                x.log_size + 1.0};
    }
    void rotate(const Matrix& x) {
        if (x.columns % 4 != 0) return unary(x);
        values_.push_back(rotated(x, x.columns % 16 == 0 && chance(0.7) ? 16 : 4));
    }

    // The newest versions of a pair of caches.
    struct Cache {
        ir::ValueId keys, values;
        int64_t kv_heads, channels;
    };
    size_t fresh_cache() {
        const int64_t kv_heads = between(1, 2), channels = pick(std::vector<int64_t>{8, 16});
        const ir::Type type{.element = chance(0.5) ? ir::Element::f32 : ir::Element::f16,
                            .dims = {page_count, kv_heads, options_.page_positions, channels},
                            .pool = ir::Pool::state};
        ir::Type key_type = type;
        if (chance(0.3)) key_type.layout = ir::Layout::kv_channels;
        caches_.push_back({param("k_cache", key_type), param("v_cache", type), kv_heads, channels});
        return caches_.size() - 1;
    }

    // Appends to a cache, which may have been appended to before, and attends to what it holds before or
    // after.
    void attention(const Matrix& wild) {
        const Matrix x = normed(wild);
        const bool reused = !caches_.empty() && chance(0.4);
        Cache& cache = caches_[reused ? caches_.size() - 1 : fresh_cache()];
        const int64_t group = between(1, 3), channels = cache.channels;
        const Matrix q = rotated(product(x, cache.kv_heads * group * channels), channels);
        const Matrix k = rotated(product(x, cache.kv_heads * channels), channels);
        const Matrix v = product(x, cache.kv_heads * channels);
        const auto attend = [&] {
            const ir::ValueId out =
                g_.add(ir::Op::attention, {q.id, cache.keys, cache.values, positions(), seqs(), pages()},
                       {{"scale", 1.0 / std::sqrt(static_cast<double>(channels))}},
                       "attention." + std::to_string(g_.nodes.size()));
            values_.push_back({out, q.columns, 5.0});
        };
        const bool past = chance(0.3);
        if (past) attend();
        cache.keys = append(cache.keys, k);
        cache.values = append(cache.values, v);
        if (!past || chance(0.3)) attend();
    }
    ir::ValueId append(ir::ValueId cache, const Matrix& x) {
        return g_.add(ir::Op::kv_append, {cache, x.id, positions(), seqs(), pages()});
    }

    void finish() {
        Matrix last = values_.back();
        if (chance(0.3)) {
            const ir::Dim outputs = extent("O", 1, 2);
            const ir::ValueId rows =
                g_.add(ir::Op::gather_rows, {last.id, param("outputs", ints({outputs}))});
            last.id = rows;
        }
        result(last.id);
        if (options_.argmax && chance(0.2)) result(g_.add(ir::Op::argmax, {last.id}));
        if (chance(0.4)) result(pick(values_).id);
        for (const Cache& cache : caches_)
            g_.results.insert(g_.results.end(), {cache.keys, cache.values});
    }
    void result(ir::ValueId v) {
        const bool computed = g_.values[v].producer != ir::no_id;
        if (!computed || std::find(g_.results.begin(), g_.results.end(), v) != g_.results.end()) return;
        if (chance(0.7)) g_.values[v].type.pool = ir::Pool::io;
        if (chance(0.5)) g_.values[v].name = "result";
        g_.results.push_back(v);
    }

    static constexpr int64_t pages_a_sequence = 3, page_count = 10;

    std::mt19937_64 random_;
    RandomGraphOptions options_;
    ir::Graph g_; // numbers its values as they come up
    ir::Dim tokens_ = 1, sequences_ = 1;
    std::vector<Matrix> values_;
    std::vector<Cache> caches_;
    ir::ValueId positions_ = ir::no_id, seqs_ = ir::no_id, pages_ = ir::no_id;
};

inline ir::Graph random_graph(uint64_t seed, const RandomGraphOptions& options = {}) {
    return RandomGraph(seed, options).make();
}

} // namespace ingot::test
