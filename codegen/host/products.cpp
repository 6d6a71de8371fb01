#include "codegen/host/products.h"

#include <algorithm>

#include <fmt/format.h>

#include "codegen/host/product_weight.h"
#include "codegen/host/rows.h"
#include "codegen/host/sink_states.h"
#include "codegen/host/tiles.h"

namespace ingot::codegen {

using namespace ir;

namespace {

// Panels of one pass where several products meet: their tiles wait on the stack, so many bytes a token.
constexpr int64_t joined_panels = 4;

class ProductKernel {
  public:
    ProductKernel(const Region& region, SourceText& out, std::set<std::string>& headers,
                  std::vector<StreamedWeights>& weights)
        : region_(region), out_(out), headers_(headers), weights_(weights), roots_(find_roots(region)),
          groups_(find_sinks(region, roots_)) {}

    void emit() {
        headers_.insert("matmul.h");
        find_tokens();
        for (NodeId id = 0; id < region_.body.nodes.size(); ++id)
            if (region_.body.nodes[id].op == Op::matmul)
                products_.push_back(describe_product(region_, id, headers_));
        list_readings();
        prologue();
        const SinkStates states(region_, groups_, tokens_dim_);
        states.declare(out_, headers_);
        for (const Product& p : products_)
            p.paired ? paired(p) : plain(p);
        for (const SinkGroup& g : groups_)
            if (is_joined(g)) joined(g);
        states.finish(out_);
    }

  private:
    const Graph& body() const { return region_.body; }
    const Product& product(NodeId id) const {
        return *std::find_if(products_.begin(), products_.end(),
                             [&](const Product& p) { return p.id == id; });
    }

    void find_tokens() {
        std::optional<Dim> dim;
        for (const Node& n : body().nodes) {
            if (n.op != Op::matmul) continue;
            if (dim && *dim != region_.rows(n.results[0]))
                region_.unsupported(n, "products of different numbers of rows");
            dim = region_.rows(n.results[0]);
        }
        tokens_dim_ = *dim;
        one_ = region_.constant(tokens_dim_) == 1;
        if (!one_) out_.line(fmt::format("const int tokens = {};", region_.rows_text(tokens_dim_)));
    }

    // Values before the products: the node's results among them are computed once, each thread a share of the
    // rows; the others, which only a single token may have, by every thread for itself.
    void prologue() {
        std::vector<ValueId> shared;
        for (const Node& n : body().nodes) {
            if (roots_.contains(n.results[0])) continue;
            if (n.op == Op::kv_append) region_.unsupported(n, "what it appends does not come from a product");
            if (region_.result_index(n.results[0])) shared.push_back(n.results[0]);
        }
        if (!shared.empty()) {
            headers_.insert("share.h");
            out_.open("{");
            out_.line(fmt::format("const Share mine = share({}, int(c->thread), int(c->threads));",
                                  region_.rows_text(tokens_dim_)));
            out_.open("for (int row = mine.begin; row < mine.end; ++row) {");
            RowEmitter rows(region_, out_, headers_, "row");
            for (const ValueId v : shared) {
                if (region_.rows(v) != tokens_dim_)
                    region_.unsupported("a result before the products has another number of rows");
                rows.compute(v);
            }
            out_.close();
            out_.close();
            out_.line("barrier(c->team);");
        }
        RowEmitter own(region_, out_, headers_, "0");
        std::set<ValueId> inputs;
        for (const Product& p : products_)
            inputs.insert(body().nodes[p.id].operands[0]);
        for (const ValueId x : inputs) {
            if (region_.in_memory(x)) {
                out_.line(fmt::format("const auto* const x{} = {};", x, region_.memory_name(x)));
                continue;
            }
            if (!one_)
                region_.unsupported(*region_.producer(x),
                                    "with several tokens the input of a product must be a result "
                                    "of the kernel (pass share-prologues sees to that)");
            own.compute(x);
            out_.line(fmt::format("const auto* const x{} = {};", x, own.pointer(x)));
        }
    }

    bool is_joined(const SinkGroup& g) const {
        return g.roots.size() > 1 && !product(g.roots[0].product).paired;
    }

    std::vector<const SinkGroup*> groups_of(NodeId id) const {
        std::vector<const SinkGroup*> found;
        for (const SinkGroup& g : groups_)
            if (g.roots[0].product == id && !is_joined(g)) found.push_back(&g);
        return found;
    }

    // What is read, in order.
    void list_readings() {
        const auto add = [&](const Product& p, int64_t first_panel, int64_t units, int64_t panels_a_unit) {
            weights_.push_back({.operand = p.weight_operand,
                                .offset = static_cast<uint64_t>(first_panel) * p.panel_bytes,
                                .units = static_cast<uint64_t>(units),
                                .unit_bytes = p.panel_bytes * static_cast<uint64_t>(panels_a_unit)});
        };
        for (const Product& p : products_) {
            const auto groups = groups_of(p.id);
            if (groups.empty()) continue;
            const int64_t together = quantizes(groups) ? 2 : 1;
            p.paired ? add(p, 0, panels_of(p.rows / 2) / together, 2 * together)
                     : add(p, 0, panels_of(p.rows) / together, together);
        }
        for (const SinkGroup& g : groups_) {
            const int64_t together = g.quantizes() ? 2 : 1;
            if (is_joined(g))
                for (const Root& r : g.roots)
                    add(product(r.product), r.begin / panel_rows, panels_of(g.width) / together, together);
        }
    }

    static bool quantizes(const std::vector<const SinkGroup*>& groups) {
        return std::any_of(groups.begin(), groups.end(), [](const SinkGroup* g) { return g->quantizes(); });
    }

    // The beginning of a thread's share of reading `i`, or of what follows this kernel, as C++.
    std::string share_of_reading(size_t i) const {
        return i < weights_.size() ? share_begin(weights_[i]) : "static_cast<const u8*>(c->next)";
    }

    void open_product(const Product& p, int64_t units, int64_t panels_a_unit) {
        out_.open("{");
        out_.line(fmt::format("const Share mine = share({}, int(c->thread), int(c->threads));", units));
        call(p, panels_a_unit, fmt::format("mine.begin * {}", panels_a_unit),
             fmt::format("mine.end * {}", panels_a_unit), share_of_reading(++readings_done_));
    }

    // `next` is where the thread reads on afterwards.
    void call(const Product& p, int64_t panels_a_unit, const std::string& begin, const std::string& end,
              const std::string& next) {
        out_.line(fmt::format("matmul<{}, {}, {}, {}>({}, {}, {}, {}, {}, {},", p.format, p.rows, p.depth,
                              panels_a_unit, p.weight, p.input, one_ ? "One{}" : "tokens", begin, end, next));
        out_.open(fmt::format(
            "    [&](int panel, int token, const f32x16 (&y)[{}]) __attribute__((always_inline)) {{",
            panels_a_unit));
    }

    // The sinks of one group for one tile, or for two neighbours where it quantises.
    void sinks(const SinkGroup& g, const std::vector<Tile>& tiles) {
        std::vector<TileEmitter> emitters;
        for (const Tile& tile : tiles)
            emitters.emplace_back(region_, roots_, out_, headers_, tile);
        for (const Sink& sink : g.sinks) {
            if (sink.kind != Sink::Kind::quantize) {
                for (TileEmitter& e : emitters)
                    e.consume(sink);
                continue;
            }
            const std::string low = emitters[0].value(sink.value), high = emitters[1].value(sink.value);
            const ValueId to = body().nodes[sink.node].results[0];
            out_.line(fmt::format("{}({}, {}, {}, ({}) / 32);", quantize_function(g, sink, one_), low, high,
                                  region_.row_pointer(to, "token"), tiles[0].column));
        }
    }

    static std::string valid_lanes(const SinkGroup& g, const std::string& column) {
        if (g.width % panel_rows == 0) return "lanes";
        return fmt::format("({0} - ({1}) < lanes ? {0} - ({1}) : lanes)", g.width, column);
    }

    // A product whose tiles go separate ways: every slice of its columns has sinks of its own.
    void plain(const Product& p) {
        const auto groups = groups_of(p.id);
        if (groups.empty()) return;
        const int64_t together = quantizes(groups) ? 2 : 1;
        if (panels_of(p.rows) % together != 0)
            region_.unsupported(body().nodes[p.id],
                                "its result is quantised in part, and is no multiple of 32 columns");
        open_product(p, panels_of(p.rows) / together, together);
        for (const SinkGroup* g : groups) {
            const int64_t begin = g->roots[0].begin;
            if (g->quantizes()) {
                if (begin % 32 != 0 || g->width % 32 != 0)
                    region_.unsupported(body().nodes[p.id],
                                        "what is quantised does not begin at a block of 32 columns");
                open_segment(p, *g, "panel * lanes");
                sinks(*g,
                      {{.registers = {{g->roots[0], "y[0]"}}, .column = "column", .suffix = "a"},
                       {.registers = {{g->roots[0], "y[1]"}}, .column = "column + lanes", .suffix = "b"}});
                out_.close();
                continue;
            }
            for (int64_t i = 0; i < together; ++i) {
                const std::string at = i == 0 ? "panel * lanes" : "panel * lanes + lanes",
                                  y = fmt::format("y[{}]", i);
                begin % panel_rows == 0 ? aligned_segment(p, *g, at, y) : straddling_segment(*g, at, y);
            }
        }
        close_product();
    }

    // Opens a scope for the columns of the group, with `column` counted from its begin.
    void open_segment(const Product& p, const SinkGroup& g, const std::string& at) {
        const int64_t begin = g.roots[0].begin;
        if (begin == 0 && g.width == p.rows)
            out_.open("{");
        else
            out_.open(fmt::format("if ({0} >= {1} && {0} < {2}) {{", at, begin, begin + g.width));
        out_.line(fmt::format("const int column = {} - {};", at, begin));
    }

    void aligned_segment(const Product& p, const SinkGroup& g, const std::string& at, const std::string& y) {
        open_segment(p, g, at);
        sinks(g, {{.registers = {{g.roots[0], y}},
                   .column = "column",
                   .valid = valid_lanes(g, "column"),
                   .suffix = ""}});
        out_.close();
    }

    // The group's first column lies inside a panel: the first tile loses the lanes before it.
    void straddling_segment(const SinkGroup& g, const std::string& at, const std::string& y) {
        headers_.insert("pointwise.h");
        const int64_t begin = g.roots[0].begin;
        out_.open(fmt::format("if ({0} + lanes > {1} && {0} < {2}) {{", at, begin, begin + g.width));
        out_.line(fmt::format("const int from = {0} < {1} ? {1} - ({0}) : 0, column = {0} + from - {1};", at,
                              begin));
        out_.line(fmt::format(
            "const int left = {} - column, valid = left < lanes - from ? left : lanes - from;", g.width));
        out_.line(fmt::format("const f32x16 kept = drop_lanes({}, from);", y));
        sinks(g, {{.registers = {{g.roots[0], "kept"}},
                   .column = "column",
                   .valid = "valid",
                   .suffix = "",
                   .aligned = false}});
        out_.close();
    }

    void close_product() {
        out_.close("    });");
        out_.close();
    }

    // Panels of the two halves in turn: a tile of either is at hand.
    void paired(const Product& p) {
        const auto groups = groups_of(p.id);
        if (groups.empty()) return;
        const int64_t half = p.rows / 2;
        const int64_t together = quantizes(groups) ? 2 : 1;
        if (together == 2 && half % 32 != 0)
            region_.unsupported(body().nodes[p.id], "what is quantised is no multiple of 32 columns");
        open_product(p, panels_of(half) / together, 2 * together);
        out_.line("const int column = panel / 2 * lanes;");
        for (const SinkGroup* g : groups) {
            for (const Root& r : g->roots)
                if (r.product != p.id || (r.begin != 0 && r.begin != half) || g->width != half)
                    region_.unsupported(body().nodes[p.id],
                                        "its halves lie in turn, and something else than halves is read");
            std::vector<Tile> tiles;
            for (int64_t i = 0; i < together; ++i) {
                const std::string column = i == 0 ? "column" : "column + lanes";
                tiles.push_back(
                    {.registers = {{Root{.product = p.id, .begin = 0}, fmt::format("y[{}]", 2 * i)},
                                   {Root{.product = p.id, .begin = half}, fmt::format("y[{}]", 2 * i + 1)}},
                     .column = column,
                     .valid = valid_lanes(*g, column),
                     .suffix = i == 0 ? "a" : "b"});
            }
            out_.open("{");
            sinks(*g, tiles);
            out_.close();
        }
        close_product();
    }

    // Values computed from tiles of several products: all but the last leave theirs on the stack.
    void joined(const SinkGroup& g) {
        for (const Root& r : g.roots)
            if (r.begin % panel_rows != 0 || product(r.product).paired)
                region_.unsupported(body().nodes[r.product],
                                    "what it is combined with lies in other columns");
        const int64_t together = g.quantizes() ? 2 : 1;
        if (g.quantizes() && g.width % 32 != 0)
            region_.unsupported(body().nodes[g.roots[0].product],
                                "what is quantised is no multiple of 32 columns");
        const int64_t units = panels_of(g.width) / together;
        readings_done_ += g.roots.size();
        out_.open("{");
        out_.line(fmt::format("const Share mine = share({}, int(c->thread), int(c->threads));", units));
        for (size_t i = 0; i + 1 < g.roots.size(); ++i)
            out_.line(fmt::format("f32x16 waiting{}[{}][{}];", i, region_.most(tokens_dim_), joined_panels));
        out_.open(fmt::format("for (int first = mine.begin * {0}; first < mine.end * {0}; first += {1}) {{",
                              together, joined_panels));
        out_.line(fmt::format("const int end = mine.end * {0} < first + {1} ? mine.end * {0} : first + {1};",
                              together, joined_panels));
        for (size_t i = 0; i < g.roots.size(); ++i) {
            const Product& p = product(g.roots[i].product);
            const int64_t shift = g.roots[i].begin / panel_rows;
            call(p, together, fmt::format("first + {}", shift), fmt::format("end + {}", shift),
                 next_of_joined(g, i, together));
            out_.line(fmt::format("const int at = panel - first - {};", shift));
            if (i + 1 < g.roots.size()) {
                for (int64_t t = 0; t < together; ++t)
                    out_.line(fmt::format("waiting{}[token][at + {}] = y[{}];", i, t, t));
            } else {
                out_.line(fmt::format("const int column = (panel - {}) * lanes;", shift));
                last_of_joined(g, together);
            }
            out_.close("    });");
        }
        out_.close();
        out_.close();
    }

    // Tiles of the products come in turn, so after the last product of a pass the first one's go on.
    std::string next_of_joined(const SinkGroup& g, size_t i, int64_t together) const {
        const bool last = i + 1 == g.roots.size();
        const Root& r = g.roots[last ? 0 : i + 1];
        const Product& p = product(r.product);
        std::string on = fmt::format("{} + u64(u32({} + {})) * {}", p.weight, last ? "end" : "first",
                                     r.begin / panel_rows, p.panel_bytes);
        if (!last) return on;
        return fmt::format("end < mine.end * {} ? {} : {}", together, on, share_of_reading(readings_done_));
    }

    void last_of_joined(const SinkGroup& g, int64_t together) {
        std::vector<Tile> tiles;
        for (int64_t t = 0; t < together; ++t) {
            const std::string column = t == 0 ? "column" : "column + lanes";
            Tile tile{.registers = {},
                      .column = column,
                      .valid = valid_lanes(g, column),
                      .suffix = t == 0 ? "a" : "b"};
            for (size_t i = 0; i < g.roots.size(); ++i)
                tile.registers[g.roots[i]] = i + 1 < g.roots.size()
                                                 ? fmt::format("waiting{}[token][at + {}]", i, t)
                                                 : fmt::format("y[{}]", t);
            tiles.push_back(tile);
        }
        sinks(g, tiles);
    }

    const Region& region_;
    SourceText& out_;
    std::set<std::string>& headers_;
    std::vector<StreamedWeights>& weights_;
    RootMap roots_;
    std::vector<SinkGroup> groups_;
    std::vector<Product> products_;
    size_t readings_done_ = 0; // whose code stands
    Dim tokens_dim_ = 1;
    bool one_ = false;
};

} // namespace

void emit_product_kernel(const Region& region, SourceText& out, std::set<std::string>& headers,
                         std::vector<StreamedWeights>& weights) {
    ProductKernel(region, out, headers, weights).emit();
}

} // namespace ingot::codegen
