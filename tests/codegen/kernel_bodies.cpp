#include "kernel_bodies.h"

#include <map>
#include <memory>
#include <random>

#include "codegen/verify_kernels.h"

namespace ingot::codegen::test {

using namespace ir;

Body::Body(Rows rows) : many_(rows == Rows::many) {
    g.name = "body";
    g.phase = Phase::packed;
    if (many_) tokens_ = Dim::symbol(g.add_symbol({.name = "T", .min = 1, .max = 600}));
}

ValueId Body::param(Type type) {
    const auto id = static_cast<ValueId>(g.values.size());
    g.values.push_back({.type = std::move(type),
                        .name = std::to_string(g.params.size()),
                        .producer = no_id,
                        .placement = {}});
    g.params.push_back(id);
    return id;
}

Graph Body::finish() const {
    Graph out;
    out.name = g.name;
    out.phase = g.phase;
    out.symbols = g.symbols;
    std::map<ValueId, ValueId> at;
    for (const ValueId v : g.params)
        at[v] = out.add_param(g.values[v].name, g.type(v));
    const auto mapped = [&](const std::vector<ValueId>& values) {
        std::vector<ValueId> ids;
        for (const ValueId v : values)
            ids.push_back(at.at(v));
        return ids;
    };
    for (const Node& n : g.nodes) {
        const NodeId made = out.add_node(n.op, mapped(n.operands), {g.type(n.results[0])}, n.attrs);
        at[n.results[0]] = out.nodes[made].results[0];
    }
    out.results = mapped(g.results);
    return out;
}

ValueId Body::activations(int64_t columns, Element e) {
    return param({.element = e, .dims = {tokens_, columns}, .pool = Pool::transient});
}

ValueId Body::vector(int64_t columns) {
    return param({.element = Element::f32, .dims = {columns}, .pool = Pool::weights});
}

ValueId Body::weight(Element e, int64_t rows, int64_t cols, Layout layout) {
    return param({.element = e, .dims = {rows, cols}, .layout = layout, .pool = Pool::weights});
}

ValueId Body::ids() {
    return param({.element = Element::i32, .dims = {tokens_}, .pool = Pool::io});
}

ValueId Body::page_table() {
    return param({.element = Element::i32, .dims = {sequences, pages_per_sequence}, .pool = Pool::io});
}

ValueId Body::cache(int64_t heads, int64_t channels, Layout layout, Element e) {
    return param({.element = e,
                  .dims = {pages, heads, page_positions, channels},
                  .layout = layout,
                  .pool = Pool::state});
}

ValueId Body::slice(ValueId v, int64_t begin, int64_t end) {
    return add(Op::slice_cols, {v}, {{"begin", begin}, {"end", end}});
}

ValueId Body::norm(ValueId x) {
    const int64_t columns = g.type(x).dims.back().constant();
    return add(Op::rms_norm, {x, vector(columns)}, {{"eps", 1e-5}});
}

Graph qkv_body(const QkvShape& s) {
    Body b(s.rows);
    ValueId x = b.norm(b.activations(s.width));
    if (s.quantized) x = b.add(Op::quantize, {x});
    const int64_t q = s.heads * s.head_dim, kv = s.kv_heads * s.head_dim;
    const ValueId y = b.add(Op::matmul, {x, b.weight(s.element, q + 2 * kv, s.width)});
    const ValueId angles = b.activations(s.head_dim), positions = b.ids(), seqs = b.ids(),
                  table = b.page_table();
    const auto part = [&](int64_t begin, int64_t end) {
        const ValueId v = b.slice(y, begin, end);
        return s.bias ? b.add(Op::add, {v, b.vector(end - begin)}) : v;
    };
    const std::vector<Attr> head{{"head_dim", s.head_dim}};
    b.result(b.add(Op::rope, {part(0, q), angles}, head));
    const ValueId k = b.add(Op::rope, {part(q, q + kv), angles}, head);
    b.result(b.add(Op::kv_append,
                   {b.cache(s.kv_heads, s.head_dim, Layout::kv_channels), k, positions, seqs, table}));
    const ValueId v = part(q + kv, q + 2 * kv);
    b.result(
        b.add(Op::kv_append, {b.cache(s.kv_heads, s.head_dim, Layout::rows), v, positions, seqs, table}));
    b.shared(x);
    return b.finish();
}

Graph attention_body(int64_t heads, int64_t kv_heads, int64_t head_dim, bool quantized, Rows rows,
                     Element cache) {
    Body b(rows);
    const ValueId q = b.activations(heads * head_dim);
    const ValueId k = b.cache(kv_heads, head_dim, Layout::kv_channels, cache);
    const ValueId v = b.cache(kv_heads, head_dim, Layout::rows, cache);
    const ValueId positions = b.ids(), seqs = b.ids(), table = b.page_table();
    ValueId a = b.add(Op::attention, {q, k, v, positions, seqs, table}, {{"scale", 0.1}});
    if (quantized) a = b.add(Op::quantize, {a});
    b.result(a);
    return b.finish();
}

Graph residual_body(int64_t rows, int64_t cols, Element e, bool quantized, bool bias, Rows tokens) {
    Body b(tokens);
    const ValueId x = b.activations(cols, quantized ? Element::q8a : Element::f32);
    ValueId y = b.add(Op::matmul, {x, b.weight(e, rows, cols)});
    if (bias) y = b.add(Op::add, {y, b.vector(rows)});
    b.result(b.add(Op::add, {y, b.activations(rows)}));
    return b.finish();
}

Graph gate_up_body(int64_t width, int64_t hidden, Element gate, Element up, GateUp form, bool quantized,
                   Rows rows) {
    Body b(rows);
    ValueId x = b.norm(b.activations(width));
    if (quantized) x = b.add(Op::quantize, {x});
    ValueId g = no_id, u = no_id;
    if (form == GateUp::paired) {
        const ValueId y = b.add(Op::matmul, {x, b.weight(gate, 2 * hidden, width, Layout::panel16_pair)});
        g = b.slice(y, 0, hidden);
        u = b.slice(y, hidden, 2 * hidden);
    } else {
        g = b.add(Op::matmul, {x, b.weight(gate, hidden, width)});
        u = b.add(Op::matmul, {x, b.weight(up, hidden, width)});
    }
    ValueId h = b.add(Op::mul, {b.add(Op::silu, {g}), u});
    if (quantized) h = b.add(Op::quantize, {h});
    b.result(h);
    b.shared(x);
    return b.finish();
}

std::vector<const Target*> host_targets() {
    std::vector<const Target*> targets;
    for (const Target& t : all_targets())
        if (machine_runs(t)) targets.push_back(&t);
    return targets;
}

CompilerOptions compiler_options() {
    return {.cache = std::filesystem::path(testing::TempDir()) / "ingot-test-kernels",
            .worker = {
                .folder = INGOT_BINARY_DIR "/tools", .workers = 2, .timeout_seconds = 120, .failures = {}}};
}

void expect_right(const std::vector<Case>& cases, const std::vector<int64_t>& sizes) {
    const uint64_t seed = std::random_device()();
    std::vector<KernelSpec> specs;
    std::map<std::string, double> limit;
    for (const Case& c : cases) {
        specs.push_back({.name = c.name, .body = &c.body});
        ASSERT_TRUE(limit.emplace(c.name, c.nmse).second) << "two cases are called " << c.name;
    }
    for (const Target* target : host_targets()) {
        // The worker processes of a target serve all tests.
        static std::map<const Target*, std::unique_ptr<KernelCompiler>> compilers;
        auto& compiler = compilers[target];
        if (!compiler) compiler = std::make_unique<KernelCompiler>(*target, compiler_options());
        const CompiledKernels kernels = compiler->compile(specs);
        for (const unsigned threads : {1U, 3U}) {
            const VerifyOptions options{.seed = seed, .threads = threads, .sizes = sizes};
            const auto checks = verify_kernels(*compiler, specs, options);
            EXPECT_GE(checks.size(), kernels.kernels.size());
            for (const KernelCheck& c : checks)
                EXPECT_LE(c.nmse, limit.at(c.kernel))
                    << c.kernel << " for " << target->name << ", " << c.result << ", size " << c.size << ", "
                    << threads << " threads, seed " << seed;
        }
    }
}

} // namespace ingot::codegen::test
