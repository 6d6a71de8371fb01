#include "frontend/families/llama.h"

#include "frontend/families/llama_params.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <numbers>

#include <fmt/format.h>

namespace ingot::frontend {

using namespace ir;

namespace {

// Angle of pair i at position 1 (Su et al. 2021); Llama 3's blend as in its published `apply_scaling`.
std::vector<double> inverse_frequencies(const Rope& rope) {
    std::vector<float> divisors(rope.dims / 2, 1.0F);
    if (rope.divisors) dequantize(rope.divisors->element, rope.divisors->data, divisors);
    std::vector<double> out;
    for (uint32_t i = 0; i < rope.dims / 2; ++i) {
        double frequency = std::pow(static_cast<double>(rope.base), -2.0 * i / rope.dims);
        if (rope.scaling == RopeScaling::linear) frequency /= rope.factor;
        if (rope.scaling == RopeScaling::llama3) {
            const double turns = rope.original_context * frequency / (2 * std::numbers::pi);
            const double keep =
                std::clamp((turns - rope.low_freq_factor) /
                               (static_cast<double>(rope.high_freq_factor) - rope.low_freq_factor),
                           0.0, 1.0);
            frequency = keep * frequency + (1 - keep) * frequency / rope.factor;
        }
        // Kernels read f32; rounding here makes every consumer see the same number.
        out.push_back(static_cast<float>(frequency / static_cast<double>(divisors[i])));
    }
    return out;
}

class Builder {
  public:
    Builder(const LlamaParams& p, const ModelFacts& facts, const ImportOptions& o, Weights& weights)
        : p_(p), facts_(facts), o_(o), weights_(weights) {}

    Graph decode() {
        begin("decode", Symbol{});
        tokens_dim_ = Dim(1);
        declare_step();
        declare_weights(true, true);
        const ValueId x = layers();
        head(x);
        return finish();
    }

    // From ids to the hidden state before the last norm, for up to `most` tokens.
    Graph hidden_of_tokens(const char* name, int64_t most) {
        begin(name, {.name = "T", .min = 1, .max = most});
        tokens_dim_ = g_.dim("T");
        declare_step();
        declare_weights(true, false);
        output(layers(), "hidden");
        return finish();
    }

    Graph head_alone() {
        begin("head", {.name = "O", .min = 1, .max = o_.max_rows});
        const ValueId hidden = g_.add_param(
            "hidden", {.element = Element::f32, .dims = {o_.max_tokens, embedding()}, .pool = Pool::io});
        const ValueId ids = io_ids("ids", {g_.dim("O")});
        declare_weights(false, true);
        head(g_.add(Op::gather_rows, {hidden, ids}, {}, "output_rows"));
        return finish();
    }

  private:
    int64_t embedding() const { return p_.embedding; }

    void begin(const char* name, const Symbol& symbol) {
        g_ = {};
        g_.name = name;
        if (!symbol.name.empty()) g_.add_symbol(symbol);
        states_.clear();
        params_.clear();
    }

    Graph finish() {
        for (ValueId v : states_)
            g_.results.push_back(v);
        return std::move(g_);
    }

    void output(ValueId v, const char* name) {
        g_.values[v].name = name;
        g_.values[v].type.pool = Pool::io;
        g_.results.push_back(v);
    }

    ValueId io_ids(const char* name, std::vector<Dim> dims) {
        return g_.add_param(name, {.element = Element::i32, .dims = std::move(dims), .pool = Pool::io});
    }

    void declare_step() {
        tokens_ = io_ids("tokens", {tokens_dim_});
        positions_ = io_ids("positions", {tokens_dim_});
        seqs_ = io_ids("seqs", {tokens_dim_});
        pages_ = io_ids("pages", {o_.max_sequences, facts_.pages_per_sequence});
        caches_.clear();
        for (size_t i = 0; i < p_.layers.size(); ++i) {
            const std::vector<Dim> dims = {facts_.pages, p_.layers[i].kv_heads, o_.page_positions,
                                           p_.head_dim};
            const auto cache = [&](const char* what, Layout layout) {
                return g_.add_param(
                    fmt::format("blk.{}.{}", i, what),
                    {.element = o_.cache, .dims = dims, .layout = layout, .pool = Pool::state});
            };
            const ValueId k = cache("k_cache", Layout::kv_channels);
            caches_.emplace_back(k, cache("v_cache", Layout::rows));
        }
    }

    void declare(const gguf::TensorInfo* t) {
        if (!t || g_.find_param(t->name) != no_id) return;
        std::vector<Dim> dims;
        std::vector<int64_t> sizes;
        for (auto d = t->dims.rbegin(); d != t->dims.rend(); ++d) {
            dims.emplace_back(static_cast<int64_t>(*d));
            sizes.push_back(static_cast<int64_t>(*d));
        }
        params_[t] =
            g_.add_param(std::string(t->name), {.element = t->element, .dims = dims, .pool = Pool::weights});
        weights_.try_emplace(std::string(t->name), Tensor::view(t->element, sizes, t->data));
    }

    void declare(const Projection& p) {
        for (const auto* t : {p.weight, p.scale, p.bias})
            declare(t);
    }

    void declare_weights(bool layers, bool head) {
        if (layers) {
            declare(p_.token_embedding);
            for (const LlamaLayer& l : p_.layers) {
                declare(l.attn_norm);
                for (const Projection* p : {&l.q, &l.k, &l.v, &l.output})
                    declare(*p);
                declare(l.ffn_norm);
                for (const Projection* p : {&l.gate, &l.up, &l.down})
                    declare(*p);
            }
        }
        if (head) {
            declare(p_.output_norm);
            declare(p_.head);
        }
    }

    ValueId norm(ValueId x, const gguf::TensorInfo* weight, const std::string& name) {
        return g_.add(Op::rms_norm, {x, params_.at(weight)}, {{"eps", static_cast<double>(p_.rms_epsilon)}},
                      name);
    }

    // An attention projection is scaled before its bias is added, a feed-forward one after: so does
    // llama.cpp, whose files these are. The `.scale` itself is per tensor.
    enum class Scale { before_bias, after_bias };

    ValueId project(ValueId x, const Projection& p, const std::string& name,
                    Scale order = Scale::before_bias) {
        ValueId y = g_.add(Op::matmul, {x, params_.at(p.weight)}, {}, name);
        const auto scale = [&] {
            if (p.scale) y = g_.add(Op::mul, {y, params_.at(p.scale)}, {}, name + ".scale");
        };
        if (order == Scale::before_bias) scale();
        if (p.bias) y = g_.add(Op::add, {y, params_.at(p.bias)}, {}, name + ".bias");
        if (order == Scale::after_bias) scale();
        return y;
    }

    // Factors of cosine and sine over one head; channels that do not turn keep their size.
    ValueId magnitudes() {
        std::vector<double> values(p_.head_dim, 1.0);
        std::fill_n(values.begin(), p_.rope.dims, static_cast<double>(p_.rope.magnitude));
        const Type type{
            .element = Element::f32, .dims = {static_cast<int64_t>(p_.head_dim)}, .pool = Pool::weights};
        return g_.nodes[g_.add_node(Op::constant, {}, {type}, {{"values", values}}, "rope_magnitudes")]
            .results[0];
    }

    ValueId layers() {
        const std::vector<double> frequencies = inverse_frequencies(p_.rope);
        const NodeId constant = g_.add_node(Op::constant, {},
                                            {{.element = Element::f32,
                                              .dims = {static_cast<int64_t>(frequencies.size())},
                                              .pool = Pool::weights}},
                                            {{"values", frequencies}}, "rope_inverse_frequencies");
        const Attr head_dim{"head_dim", static_cast<int64_t>(p_.head_dim)};
        ValueId x = g_.add(Op::embed, {tokens_, params_.at(p_.token_embedding)}, {}, "token_embd");
        ValueId angles =
            g_.add(Op::rope_angles, {positions_, g_.nodes[constant].results[0]}, {head_dim}, "rope_angles");
        if (p_.rope.magnitude != 1) angles = g_.add(Op::mul, {angles, magnitudes()}, {}, "rope_magnitude");
        for (size_t i = 0; i < p_.layers.size(); ++i) {
            const LlamaLayer& l = p_.layers[i];
            const std::string blk = fmt::format("blk.{}.", i);
            const ValueId n = norm(x, l.attn_norm, blk + "attn_norm");
            ValueId q = project(n, l.q, blk + "attn_q");
            ValueId k = project(n, l.k, blk + "attn_k");
            const ValueId v = project(n, l.v, blk + "attn_v");
            q = g_.add(Op::rope, {q, angles}, {head_dim}, blk + "rope_q");
            k = g_.add(Op::rope, {k, angles}, {head_dim}, blk + "rope_k");
            const ValueId ks =
                g_.add(Op::kv_append, {caches_[i].first, k, positions_, seqs_, pages_}, {}, blk + "k_append");
            const ValueId vs = g_.add(Op::kv_append, {caches_[i].second, v, positions_, seqs_, pages_}, {},
                                      blk + "v_append");
            states_.push_back(ks);
            states_.push_back(vs);
            const ValueId a = g_.add(Op::attention, {q, ks, vs, positions_, seqs_, pages_},
                                     {{"scale", static_cast<double>(p_.attention_scale)}}, blk + "attention");
            x = g_.add(Op::add, {project(a, l.output, blk + "attn_output"), x}, {}, blk + "attn_residual");
            const ValueId m = norm(x, l.ffn_norm, blk + "ffn_norm");
            const ValueId gate = project(m, l.gate, blk + "ffn_gate", Scale::after_bias);
            const ValueId up = project(m, l.up, blk + "ffn_up", Scale::after_bias);
            const ValueId activated =
                g_.add(Op::mul, {g_.add(Op::silu, {gate}, {}, blk + "ffn_silu"), up}, {}, blk + "ffn_gated");
            x = g_.add(Op::add, {project(activated, l.down, blk + "ffn_down", Scale::after_bias), x}, {},
                       blk + "ffn_residual");
        }
        return x;
    }

    void head(ValueId x) {
        const ValueId logits = project(norm(x, p_.output_norm, "output_norm"), p_.head, "output");
        output(logits, "logits");
        output(g_.add(Op::argmax, {logits}, {}, "argmax"), "next");
    }

    const LlamaParams& p_;
    const ModelFacts& facts_;
    const ImportOptions& o_;
    Weights& weights_;
    Graph g_;
    Dim tokens_dim_ = Dim(1);
    ValueId tokens_ = no_id, positions_ = no_id, seqs_ = no_id, pages_ = no_id;
    std::vector<std::pair<ValueId, ValueId>> caches_;
    std::vector<ValueId> states_;
    std::map<const gguf::TensorInfo*, ValueId> params_;
};

} // namespace

Model import_llama(const gguf::File& file, const ImportOptions& options) {
    const LlamaParams p = read_llama_params(file);
    Model m;
    m.facts = {.name = std::string(file.get<std::string_view>("general.name").value_or("unnamed")),
               .architecture = "llama",
               .layers = static_cast<int64_t>(p.layers.size()),
               .embedding = p.embedding,
               .vocabulary_size = p.vocabulary,
               .context = options.context > 0 ? options.context : std::min<int64_t>(p.context_length, 4096),
               .training_context = p.context_length};
    m.facts.pages_per_sequence = (m.facts.context + options.page_positions - 1) / options.page_positions;
    // Room for one sequence of full length, or for several that share it, each with a page begun.
    m.facts.pages = m.facts.pages_per_sequence + options.max_sequences - 1;
    Builder b(p, m.facts, options, m.weights);
    m.graphs.push_back(b.decode());
    if (options.batch_tokens > 0) m.graphs.push_back(b.hidden_of_tokens("batch", options.batch_tokens));
    m.graphs.push_back(b.hidden_of_tokens("prefill", options.max_tokens));
    m.graphs.push_back(b.head_alone());
    return m;
}

} // namespace ingot::frontend
