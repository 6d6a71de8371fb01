// Random small decoders in the shapes that model families have: for tests of passes and kernels, which care
// for the structures that random_graph.h hits by chance alone.
#pragma once

#include <cmath>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "ir/graph.h"
#include "tests/ir/draft_graph.h"

namespace ingot::test {

// Everything that a decoder's graphs differ in. Sizes are odd on purpose.
struct DecoderOptions {
    enum class Program { decode, prefill, head } program = Program::decode;
    int layers = 1;
    int64_t embedding = 64, head_dim = 16, kv_heads = 1, group = 2, ffn = 96, vocabulary = 50;
    int64_t rotated_pairs = 8;   // of each head, at most head_dim / 2
    int64_t most_tokens = 6;     // of a prefill
    int64_t page_positions = 32; // of the cache: kernels take multiples of 32 (host: of 16)
    int64_t sequences = 1;       // that share the cache
    bool biases = false;         // of q, k, v
    bool scales = false;         // a factor for each product
    bool magnitude = false;      // angles are scaled by a constant
    bool tied = true;            // the head is the embedding's table
    bool reads_past = false;     // attention to the past alone: the append comes behind it
    ir::Element weights = ir::Element::q4_1;
    ir::Element v_weights = ir::Element::q4_1; // of v and down, as in mixed files
    ir::Element cache = ir::Element::f16;
};

// Draws all of it. Quantised weights appear only where rows are whole blocks.
inline DecoderOptions random_decoder_options(uint64_t seed) {
    std::mt19937_64 random(seed);
    const auto pick = [&](const auto&... of) {
        const auto all = {of...};
        return *(all.begin() + std::uniform_int_distribution<size_t>(0, all.size() - 1)(random));
    };
    const auto chance = [&](double p) { return std::uniform_real_distribution<double>(0, 1)(random) < p; };
    using enum ir::Element;
    DecoderOptions o;
    o.program = pick(DecoderOptions::Program::decode, DecoderOptions::Program::decode,
                     DecoderOptions::Program::prefill, DecoderOptions::Program::prefill,
                     DecoderOptions::Program::head);
    o.layers = pick(1, 1, 2, 3);
    o.embedding = pick(int64_t{32}, int64_t{64}, int64_t{96}, int64_t{288}, int64_t{40});
    o.head_dim = pick(int64_t{16}, int64_t{24}, int64_t{32}, int64_t{64}, int64_t{80});
    o.kv_heads = pick(int64_t{1}, int64_t{2}, int64_t{3});
    o.group = pick(int64_t{1}, int64_t{2}, int64_t{3});
    o.ffn = pick(int64_t{32}, int64_t{96}, int64_t{288}, int64_t{80}, int64_t{56});
    o.vocabulary = pick(int64_t{50}, int64_t{33}, int64_t{64});
    o.rotated_pairs = chance(0.7) ? o.head_dim / 2 : o.head_dim / 4;
    o.most_tokens = pick(int64_t{1}, int64_t{6}, int64_t{6});
    o.page_positions = pick(int64_t{32}, int64_t{64});
    o.sequences = pick(int64_t{1}, int64_t{2});
    o.biases = chance(0.3);
    o.scales = chance(0.2);
    o.magnitude = chance(0.2);
    o.tied = chance(0.5);
    o.reads_past = chance(0.1);
    o.weights = pick(f32, f16, bf16, q4_0, q4_1, q5_0, q5_1, q8_0, q4_1);
    o.v_weights = chance(0.7) ? o.weights : pick(f32, q5_1, q8_0);
    o.cache = pick(f16, f32);
    return o;
}

class RandomDecoder {
  public:
    explicit RandomDecoder(const DecoderOptions& options) : o_(options) {}

    ir::Graph make() {
        using Program = DecoderOptions::Program;
        const char* const symbol = o_.program == Program::head ? "O" : "T";
        g_.name = o_.program == Program::decode    ? "decode"
                  : o_.program == Program::prefill ? "prefill"
                                                   : "head";
        if (o_.program != Program::decode)
            tokens_ = ir::Dim::symbol(g_.add_symbol({.name = symbol, .min = 1, .max = o_.most_tokens}));
        if (o_.program == Program::head) {
            const ir::ValueId hidden = io("hidden", ir::Element::f32, {o_.most_tokens, o_.embedding});
            head(g_.add(ir::Op::gather_rows, {hidden, io("ids", ir::Element::i32, {tokens_})}));
        } else {
            const ir::ValueId x = layers();
            if (o_.program == Program::decode)
                head(x);
            else
                result(x, "hidden");
        }
        g_.results.insert(g_.results.end(), states_.begin(), states_.end());
        return params_first(g_);
    }

  private:
    ir::ValueId io(const std::string& name, ir::Element element, std::vector<ir::Dim> dims) {
        return draft_param(g_, name, {.element = element, .dims = std::move(dims), .pool = ir::Pool::io});
    }
    ir::ValueId weight(const std::string& name, ir::Element element, std::vector<ir::Dim> dims) {
        if (dims.back().constant() % 32 != 0 && ir::is_quantized(element)) element = ir::Element::f16;
        return draft_param(g_, name,
                           {.element = element, .dims = std::move(dims), .pool = ir::Pool::weights});
    }
    ir::ValueId vector(const std::string& name, int64_t columns) {
        return weight(name, ir::Element::f32, {columns});
    }
    ir::ValueId constant(std::vector<double> values) {
        const auto count = static_cast<int64_t>(values.size());
        const ir::NodeId n = g_.add_node(ir::Op::constant, {}, {{.dims = {count}, .pool = ir::Pool::weights}},
                                         {{"values", std::move(values)}});
        return g_.nodes[n].results[0];
    }
    ir::ValueId table() {
        if (table_ == ir::no_id) table_ = weight("token_embd", o_.weights, {o_.vocabulary, o_.embedding});
        return table_;
    }

    ir::ValueId norm(ir::ValueId x, const std::string& name) {
        return g_.add(ir::Op::rms_norm, {x, vector(name, o_.embedding)}, {{"eps", 1e-5}}, name);
    }
    ir::ValueId project(ir::ValueId x, ir::Element element, int64_t rows, const std::string& name,
                        bool bias) {
        const ir::Dim columns = g_.type(x).dims.back();
        ir::ValueId y = g_.add(ir::Op::matmul, {x, weight(name, element, {rows, columns})}, {}, name);
        if (o_.scales) y = g_.add(ir::Op::mul, {y, vector(name + ".scale", 1)}, {}, name + ".scale");
        if (bias) y = g_.add(ir::Op::add, {y, vector(name + ".bias", rows)}, {}, name + ".bias");
        return y;
    }

    ir::ValueId angles() {
        std::vector<double> frequencies;
        for (int64_t i = 0; i < o_.rotated_pairs; ++i)
            frequencies.push_back(static_cast<float>(
                std::pow(10000.0, -static_cast<double>(i) / static_cast<double>(o_.rotated_pairs))));
        const ir::ValueId a = g_.add(ir::Op::rope_angles, {positions_, constant(std::move(frequencies))},
                                     {{"head_dim", o_.head_dim}}, "angles");
        if (!o_.magnitude) return a;
        const std::vector<double> factors(static_cast<size_t>(o_.head_dim), 1.25);
        return g_.add(ir::Op::mul, {a, constant(factors)}, {}, "magnitude");
    }

    ir::ValueId cache(const std::string& name, ir::Layout layout) {
        return draft_param(
            g_, name,
            {.element = o_.cache,
             .dims = {o_.sequences * pages_a_sequence, o_.kv_heads, o_.page_positions, o_.head_dim},
             .layout = layout,
             .pool = ir::Pool::state});
    }
    ir::ValueId append(ir::ValueId to, ir::ValueId x, const std::string& name) {
        return g_.add(ir::Op::kv_append, {to, x, positions_, seqs_, pages_}, {}, name);
    }

    ir::ValueId attention(ir::ValueId x, const std::string& layer, ir::ValueId turns) {
        const ir::Attr head_dim{"head_dim", o_.head_dim};
        const ir::ValueId n = norm(x, layer + "attn_norm");
        const int64_t kv_rows = o_.kv_heads * o_.head_dim;
        ir::ValueId q = project(n, o_.weights, kv_rows * o_.group, layer + "attn_q", o_.biases);
        ir::ValueId k = project(n, o_.weights, kv_rows, layer + "attn_k", o_.biases);
        const ir::ValueId v = project(n, o_.v_weights, kv_rows, layer + "attn_v", o_.biases);
        q = g_.add(ir::Op::rope, {q, turns}, {head_dim}, layer + "rope_q");
        k = g_.add(ir::Op::rope, {k, turns}, {head_dim}, layer + "rope_k");
        ir::ValueId keys = cache(layer + "k_cache", ir::Layout::kv_channels);
        ir::ValueId values = cache(layer + "v_cache", ir::Layout::rows);
        const auto attend = [&] {
            return g_.add(ir::Op::attention, {q, keys, values, positions_, seqs_, pages_},
                          {{"scale", 1.0 / std::sqrt(static_cast<double>(o_.head_dim))}},
                          layer + "attention");
        };
        ir::ValueId a = ir::no_id;
        if (o_.reads_past) a = attend();
        keys = append(keys, k, layer + "k_append");
        values = append(values, v, layer + "v_append");
        if (!o_.reads_past) a = attend();
        states_.insert(states_.end(), {keys, values});
        return g_.add(ir::Op::add, {project(a, o_.weights, o_.embedding, layer + "attn_output", false), x},
                      {}, layer + "attn_residual");
    }

    ir::ValueId feed_forward(ir::ValueId x, const std::string& layer) {
        const ir::ValueId m = norm(x, layer + "ffn_norm");
        const ir::ValueId gate = project(m, o_.weights, o_.ffn, layer + "ffn_gate", false);
        const ir::ValueId up = project(m, o_.weights, o_.ffn, layer + "ffn_up", false);
        const ir::ValueId h = g_.add(ir::Op::mul, {g_.add(ir::Op::silu, {gate}, {}, layer + "ffn_silu"), up},
                                     {}, layer + "ffn_gated");
        return g_.add(ir::Op::add, {project(h, o_.v_weights, o_.embedding, layer + "ffn_down", false), x}, {},
                      layer + "ffn_residual");
    }

    ir::ValueId layers() {
        const ir::ValueId tokens = io("tokens", ir::Element::i32, {tokens_});
        positions_ = io("positions", ir::Element::i32, {tokens_});
        seqs_ = io("seqs", ir::Element::i32, {tokens_});
        pages_ = io("pages", ir::Element::i32, {o_.sequences, pages_a_sequence});
        ir::ValueId x = g_.add(ir::Op::embed, {tokens, table()}, {}, "embed");
        const ir::ValueId turns = angles();
        for (int i = 0; i < o_.layers; ++i) {
            const std::string layer = "blk." + std::to_string(i) + ".";
            x = feed_forward(attention(x, layer, turns), layer);
        }
        return x;
    }

    void head(ir::ValueId x) {
        const ir::ValueId weights =
            o_.tied ? table() : weight("output", o_.v_weights, {o_.vocabulary, o_.embedding});
        const ir::ValueId logits = g_.add(ir::Op::matmul, {norm(x, "output_norm"), weights}, {}, "output");
        result(logits, "logits");
        result(g_.add(ir::Op::argmax, {logits}, {}, "argmax"), "next");
    }
    void result(ir::ValueId v, const char* name) {
        g_.values[v].name = name;
        g_.values[v].type.pool = ir::Pool::io;
        g_.results.push_back(v);
    }

    static constexpr int64_t pages_a_sequence = 2;

    DecoderOptions o_;
    ir::Graph g_; // a draft
    ir::Dim tokens_ = 1;
    ir::ValueId positions_ = ir::no_id, seqs_ = ir::no_id, pages_ = ir::no_id, table_ = ir::no_id;
    std::vector<ir::ValueId> states_;
};

inline ir::Graph decoder(const DecoderOptions& options) {
    return RandomDecoder(options).make();
}
inline ir::Graph random_decoder(uint64_t seed) {
    return decoder(random_decoder_options(seed));
}

} // namespace ingot::test
