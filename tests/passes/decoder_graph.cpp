#include "tests/passes/decoder_graph.h"

namespace ingot::tests {

using namespace ir;

Graph decoder_layer(const DecoderShape& s) {
    Graph g;
    g.name = "layer";
    Dim tokens = 1;
    if (s.max_tokens > 1) {
        g.add_symbol({.name = "T", .min = 1, .max = s.max_tokens});
        tokens = g.dim("T");
    }
    const auto io = [&](const char* name, Element e, std::vector<Dim> dims) {
        return g.add_param(name, {.element = e, .dims = std::move(dims), .pool = Pool::io});
    };
    const auto weight = [&](const char* name, int64_t rows, int64_t cols) {
        return g.add_param(name, {.element = s.weights, .dims = {rows, cols}, .pool = Pool::weights});
    };
    const auto vector = [&](const char* name) {
        return g.add_param(name, {.element = Element::f32, .dims = {s.embedding}, .pool = Pool::weights});
    };
    const auto cache = [&](const char* name, Layout layout) {
        return g.add_param(name, {.element = Element::f16,
                                  .dims = {s.pages, s.kv_heads, s.page, s.head_dim},
                                  .layout = layout,
                                  .pool = Pool::state});
    };
    const ValueId x = io("x", Element::f32, {tokens, s.embedding});
    const ValueId positions = io("positions", Element::i32, {tokens});
    const ValueId seqs = io("seqs", Element::i32, {tokens});
    const ValueId pages = io("pages", Element::i32, {1, s.pages});
    const ValueId k_cache = cache("k_cache", Layout::kv_channels);
    const ValueId v_cache = cache("v_cache", Layout::rows);
    const ValueId attn_norm = vector("attn_norm");
    const ValueId wq = weight("wq", s.heads * s.head_dim, s.embedding);
    const ValueId wk = weight("wk", s.kv_heads * s.head_dim, s.embedding);
    const ValueId wv = weight("wv", s.kv_heads * s.head_dim, s.embedding);
    const ValueId wo = weight("wo", s.embedding, s.heads * s.head_dim);
    const ValueId ffn_norm = vector("ffn_norm");
    const ValueId gate = weight("gate", s.ffn, s.embedding);
    const ValueId up = weight("up", s.ffn, s.embedding);
    const ValueId down = weight("down", s.embedding, s.ffn);
    const NodeId frequencies =
        g.add_node(Op::constant, {}, {{.element = Element::f32, .dims = {2}, .pool = Pool::weights}},
                   {{"values", std::vector<double>{1.0, 0.25}}}, "frequencies");

    const Attr head_dim{"head_dim", s.head_dim};
    const Attr eps{"eps", 1e-5};
    const ValueId angles =
        g.add(Op::rope_angles, {positions, g.nodes[frequencies].results[0]}, {head_dim}, "angles");
    const ValueId n = g.add(Op::rms_norm, {x, attn_norm}, {eps}, "attn_norm");
    const ValueId q =
        g.add(Op::rope, {g.add(Op::matmul, {n, wq}, {}, "attn_q"), angles}, {head_dim}, "rope_q");
    const ValueId k =
        g.add(Op::rope, {g.add(Op::matmul, {n, wk}, {}, "attn_k"), angles}, {head_dim}, "rope_k");
    const ValueId v = g.add(Op::matmul, {n, wv}, {}, "attn_v");
    const ValueId ks = g.add(Op::kv_append, {k_cache, k, positions, seqs, pages}, {}, "k_append");
    const ValueId vs = g.add(Op::kv_append, {v_cache, v, positions, seqs, pages}, {}, "v_append");
    const ValueId a =
        g.add(Op::attention, {q, ks, vs, positions, seqs, pages}, {{"scale", 0.25}}, "attention");
    const ValueId r = g.add(Op::add, {g.add(Op::matmul, {a, wo}, {}, "attn_output"), x}, {}, "attn_residual");
    const ValueId m = g.add(Op::rms_norm, {r, ffn_norm}, {eps}, "ffn_norm");
    const ValueId silu = g.add(Op::silu, {g.add(Op::matmul, {m, gate}, {}, "ffn_gate")}, {}, "ffn_silu");
    const ValueId h = g.add(Op::mul, {silu, g.add(Op::matmul, {m, up}, {}, "ffn_up")}, {}, "ffn_gated");
    const ValueId y = g.add(Op::add, {g.add(Op::matmul, {h, down}, {}, "ffn_down"), r}, {}, "ffn_residual");
    g.values[y].name = "y";
    g.values[y].type.pool = Pool::io;
    g.results = {y, ks, vs};
    return g;
}

} // namespace ingot::tests
