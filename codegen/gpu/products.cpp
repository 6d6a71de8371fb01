#include "codegen/gpu/products.h"

#include <algorithm>

#include <fmt/format.h>

#include "codegen/gpu/scalars.h"
#include "codegen/product_roots.h"
#include "ir/row_tiles.h"

namespace ingot::codegen {

using namespace ir;

namespace {

constexpr int64_t lane_group = 32;
// Two workgroups of launches that follow each other share a multiprocessor while one ends and the other fills
// its ring.
constexpr uint64_t ring_budget = uint64_t{96} * 1024;
// Most rows of activations for which a product is bound by its weights.
constexpr int64_t stream_rows = 16;
constexpr int64_t tile_rows = 128; // of weights and of tokens, as tile_product.h has them

struct Product {
    NodeId id = 0;
    int64_t rows = 0, depth = 0; // N and K
    int64_t halves = 1;          // 2: tiles of both halves in turn
    int64_t granule = 0;
    uint64_t height = 0, tile_bytes = 0, stages = 0, shared_bytes = 0;
    bool quantized = false;

    int64_t columns() const { return rows / halves; }
    int64_t granules() const { return (columns() + granule - 1) / granule; }
};

class ProductKernel {
  public:
    ProductKernel(const Region& region, const Target& target, SourceText& out, std::set<std::string>& headers,
                  KernelSource& source)
        : region_(region), target_(target), out_(out), headers_(headers), source_(source),
          roots_(find_roots(region)), groups_(find_sinks(region, roots_)) {}

    void emit() {
        std::vector<NodeId> products;
        for (NodeId id = 0; id < body().nodes.size(); ++id)
            if (body().nodes[id].op == Op::matmul) products.push_back(id);
        if (products.size() > 1)
            region_.unsupported(body().nodes[products[1]],
                                "its weights are of another format than those that share its input");
        tokens_ = region_.rows(body().nodes[products[0]].results[0]);
        const Product p = describe(products[0]);
        headers_.insert("gpu/epilogue.h");
        headers_.insert("gpu/" + format_header(region_.type(weight_of(p)).element));
        streamed() ? stream(p) : tile(p);
        source_.weights.push_back({.operand = region_.param_index(weight_of(p)),
                                   .offset = 0,
                                   .units = max_bytes(region_.type(weight_of(p)), {}) / p.tile_bytes,
                                   .unit_bytes = p.tile_bytes});
    }

  private:
    const Graph& body() const { return region_.body; }
    int64_t most_tokens() const { return region_.most(tokens_); }
    ValueId weight_of(const Product& p) const { return body().nodes[p.id].operands[1]; }
    ValueId input_of(const Product& p) const { return body().nodes[p.id].operands[0]; }

    Product describe(NodeId id) const {
        const Node& n = body().nodes[id];
        const Type& w = region_.type(n.operands[1]);
        if (!region_.is_param(n.operands[1]) ||
            (w.layout != Layout::row_tiles && w.layout != Layout::row_tiles_pair))
            region_.unsupported(n, "its weight must be an operand of the kernel, packed in row tiles");
        if (!region_.is_param(n.operands[0]))
            region_.unsupported(
                n, "its input must be made by an earlier kernel (pass defer-norms sees to that)");
        const auto cols = static_cast<uint64_t>(w.dims[1].constant());
        Product p{.id = id,
                  .rows = w.dims[0].constant(),
                  .depth = w.dims[1].constant(),
                  .halves = w.layout == Layout::row_tiles_pair ? 2 : 1,
                  .height = row_tile_height(w.element, cols),
                  .tile_bytes = row_tile_bytes(w.element, cols),
                  .quantized = region_.type(n.operands[0]).element == Element::q8a};
        if (p.quantized && !is_quantized(w.element))
            region_.unsupported(n, fmt::format("{} weights take f32 input, not q8a", info(w.element).text));
        if (!p.quantized && is_quantized(w.element))
            region_.unsupported(n, "quantised weights take q8a input on GPUs (pass quantize-activations)");
        p.granule = tile_rows / p.halves;
        if (streamed()) stream_shape(p, n);
        return p;
    }

    bool streamed() const { return most_tokens() <= stream_rows; }

    // Few rows: columns that a workgroup computes together, and its shared memory.
    void stream_shape(Product& p, const Node& n) const {
        const bool whole_blocks = std::any_of(groups_.begin(), groups_.end(), [](const SinkGroup& g) {
            return std::any_of(g.sinks.begin(), g.sinks.end(), [](const Sink& s) {
                return s.kind == Sink::Kind::quantize || s.kind == Sink::Kind::square_sums;
            });
        });
        p.granule = whole_blocks ? lane_group : std::max<int64_t>(8, static_cast<int64_t>(p.height));
        const uint64_t row_lanes = 256 / p.height, parts = std::max<uint64_t>(1, row_lanes / 32);
        if (target_.machine == Machine::nvptx) {
            p.stages = std::clamp<uint64_t>(ring_budget / p.tile_bytes, 2, 8);
            p.shared_bytes = p.stages * (p.tile_bytes + 16);
        }
        p.shared_bytes += 8 * static_cast<uint64_t>(p.halves * p.granule * most_tokens()) * parts;
        if (p.shared_bytes > target_.gpu->group_memory)
            region_.unsupported(n, fmt::format("it needs {} bytes of shared memory", p.shared_bytes));
    }

    void stream(const Product& p) {
        headers_.insert("gpu/stream_product.h");
        const Node& n = body().nodes[p.id];
        out_.line(fmt::format("using Product = StreamProduct<{}, {}, {}, {}, {}, {}, {}, {}, {}>;",
                              format_name(region_, n, region_.type(n.operands[1]).element), p.halves,
                              p.columns(), p.depth, p.height, p.tile_bytes, p.granule, most_tokens(),
                              p.stages));
        out_.line(fmt::format("static_assert(Product::shared_bytes <= {});", p.shared_bytes));
        stream_prologue(p);
        consume(p, "consume",
                p.quantized ? fmt::format("Q8Rows<{}, {}>", most_tokens(), p.depth)
                            : fmt::format("F32Rows<{}, {}>", p.depth, chunk_elements(p)));
        choose();
        const bool nvptx = target_.machine == Machine::nvptx;
        runtime::LaunchGeometry geometry{.threads = nvptx ? 288U : 256U, // one warp copies
                                         .shared_bytes = static_cast<uint32_t>(p.shared_bytes),
                                         .groups_per_unit = nvptx ? 1U : 2U};
        geometry.grid[0].count = static_cast<uint32_t>(p.granules());
        source_.geometry = geometry;
    }

    void stream_prologue(const Product& p) {
        const std::string weight = region_.memory_name(weight_of(p));
        out_.line("start_dependents();");
        out_.line(fmt::format("Product::start({});", weight));
        out_.line("if (has_bulk_copy && thread_index() >= consumers) {");
        out_.line(fmt::format("    Product::produce({});", weight));
        out_.line("    return;");
        out_.line("}");
        out_.line("wait_for_dependencies();");
        // A group of 32 lanes has tokens i, i + 8, ...: what it needs of them, in their order.
        const int64_t turns = (most_tokens() + 7) / 8;
        for (const Node& n : body().nodes) {
            if (n.op != Op::norm_scale) continue;
            const ValueId v = n.results[0];
            out_.line(fmt::format("f32 scale{}[{}];", v, turns));
            out_.line("#pragma unroll");
            out_.line(fmt::format("for (int i = 0, t = thread_index() / 32; i < {}; ++i, t += 8)", turns));
            out_.line(fmt::format("    if (t < {}) scale{}[i] = {};", region_.rows_text(tokens_), v,
                                  norm_scale(n, "t")));
        }
        for (const SinkGroup& g : groups_)
            for (const Sink& s : g.sinks)
                if (s.kind == Sink::Kind::argmax)
                    out_.line(fmt::format("u64 best{}[{}] = {{}};", s.node, turns));
    }

    // Many rows: matrix instructions.
    void tile(const Product& p) {
        headers_.insert("gpu/tile_product.h");
        const Node& n = body().nodes[p.id];
        for (const SinkGroup& g : groups_)
            for (const Sink& s : g.sinks)
                if (s.kind == Sink::Kind::argmax)
                    region_.unsupported(body().nodes[s.node], "a choice among the columns of many rows");
        out_.line(fmt::format("using Product = TileProduct<{}, {}, {}, {}, {}, {}, {}>;",
                              format_name(region_, n, region_.type(n.operands[1]).element), p.halves,
                              p.columns(), p.depth, p.height, p.tile_bytes, most_tokens()));
        out_.line(fmt::format("static_assert(Product::shared_bytes <= {});", tile_shared_bytes()));
        out_.line("start_dependents();");
        out_.line("wait_for_dependencies();");
        consume(p, "run",
                p.quantized ? fmt::format("Q8HalfBlocks<{}, {}>", most_tokens(), p.depth)
                            : fmt::format("F32HalfBlocks<{}>", p.depth));
        source_.resident_groups = 2;
        runtime::LaunchGeometry geometry{.threads = 256, .shared_bytes = tile_shared_bytes()};
        geometry.grid[0].count = static_cast<uint32_t>(p.granules());
        geometry.grid[1] = {.count = 1,
                            .symbol = static_cast<int32_t>(tokens_.symbol_index()),
                            .divisor = static_cast<uint32_t>(tile_rows)};
        source_.geometry = geometry;
    }

    // As tile_product.h lays it out: operands once or, where there is room, twice, and a factor for each
    // token.
    uint32_t tile_shared_bytes() const {
        constexpr uint32_t operands = 2 * 128 * (64 + 8) * 2;
        return 512 + (2 * operands + 1024 <= target_.gpu->group_memory ? 2 : 1) * operands;
    }

    std::string norm_scale(const Node& n, std::string_view token) const {
        if (!region_.is_param(n.operands[0])) region_.unsupported(n, "its sums are made by the same kernel");
        return fmt::format("norm_scale<{}>({}, {}, {}.0f, {})", region_.columns(n.operands[0]),
                           region_.memory_name(n.operands[0]), token, int_attr(n, "columns"),
                           literal(float_attr(n, "eps")));
    }

    // Calls the template's function with its input, as `type`, and what follows the product.
    void consume(const Product& p, std::string_view function, const std::string& type) {
        const std::string memory = region_.memory_name(input_of(p));
        out_.line(fmt::format("Product::{}({}, {}{{{}}}, {},", function, region_.memory_name(weight_of(p)),
                              type, p.quantized ? fmt::format("const_cast<u8*>({})", memory) : memory,
                              region_.rows_text(tokens_)));
        out_.open(fmt::format("    [&](int product_column, bool valid, int token, const f32 (&y)[{}]) {{",
                              p.halves));
        for (const SinkGroup& g : groups_)
            segment(p, g);
        out_.close("    });");
    }

    int64_t chunk_elements(const Product& p) const {
        return 16 / static_cast<int64_t>(info(region_.type(weight_of(p)).element).block_bytes);
    }

    // The sinks of values with the same columns.
    void segment(const Product& p, const SinkGroup& g) {
        const int64_t begin = p.halves == 2 ? 0 : g.roots[0].begin;
        if (p.halves == 2) {
            for (const Root& r : g.roots)
                if ((r.begin != 0 && r.begin != p.columns()) || g.width != p.columns())
                    region_.unsupported(body().nodes[p.id],
                                        "its halves lie in turn, and something else than halves is read");
        } else if (g.roots.size() != 1) {
            region_.unsupported(body().nodes[p.id], "a value is computed from columns of several places");
        }
        const bool whole = begin == 0 && g.width == p.columns();
        out_.open("{");
        out_.line(fmt::format("const int column = product_column - {};", begin));
        out_.line(whole ? std::string("const bool active = valid;")
                        : fmt::format("const bool active = valid && column >= 0 && column < {};", g.width));
        const LanePlace place{.row = "token", .column = "column", .active = "active"};
        ScalarEmitter emitter(
            region_, out_, place, [&](ValueId v, int64_t shift) -> std::optional<std::string> {
                const Node* n = region_.producer(v);
                if (n == nullptr) return std::nullopt;
                if (n->op == Op::norm_scale)
                    return streamed() ? fmt::format("scale{}[token / 8]", v) : norm_scale(*n, "token");
                if (n->op != Op::matmul) return std::nullopt;
                if (p.halves == 2) return shift == 0 ? "y[0]" : "y[1]";
                if (shift != begin)
                    region_.unsupported(*n, "a value is computed from columns of several places");
                return "y[0]";
            });
        for (const Sink& s : g.sinks) {
            const Node& n = body().nodes[s.node];
            const std::string value = emitter.value(s.value);
            switch (s.kind) {
            case Sink::Kind::store:
                emit_store(region_, out_, s.value, value, place);
                break;
            case Sink::Kind::quantize:
            case Sink::Kind::square_sums:
                if (begin % lane_group != 0)
                    region_.unsupported(n, "what is quantised does not begin at a block of 32 columns");
                s.kind == Sink::Kind::quantize ? emit_quantize(region_, out_, n, value, place)
                                               : emit_square_sums(region_, out_, n, value, place);
                break;
            case Sink::Kind::append:
                emit_append(region_, out_, n, value, place);
                break;
            case Sink::Kind::argmax:
                out_.line(
                    fmt::format("const u64 key{0} = active ? choice_key({1}, column) : 0;", s.node, value));
                out_.line(
                    fmt::format("if (key{0} > best{0}[token / 8]) best{0}[token / 8] = key{0};", s.node));
                break;
            }
        }
        out_.close();
    }

    void choose() {
        for (const SinkGroup& g : groups_)
            for (const Sink& s : g.sinks) {
                if (s.kind != Sink::Kind::argmax) continue;
                if (source_.workspace_bytes != 0) region_.unsupported("two choices in one kernel");
                source_.workspace_bytes = static_cast<uint64_t>(8 * most_tokens() + 8);
                out_.line(fmt::format(
                    "choose<{}, 8>(reinterpret_cast<ChoiceSpace<{}>*>(workspace), best{}, {}, {});",
                    most_tokens(), most_tokens(), s.node, region_.rows_text(tokens_),
                    region_.memory_name(body().nodes[s.node].results[0])));
            }
    }

    const Region& region_;
    const Target& target_;
    SourceText& out_;
    std::set<std::string>& headers_;
    KernelSource& source_;
    RootMap roots_;
    std::vector<SinkGroup> groups_;
    Dim tokens_ = 1;
};

} // namespace

void emit_gpu_product_kernel(const Region& region, const Target& target, SourceText& out,
                             std::set<std::string>& headers, KernelSource& source) {
    ProductKernel(region, target, out, headers, source).emit();
}

} // namespace ingot::codegen
