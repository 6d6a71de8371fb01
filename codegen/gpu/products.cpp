#include "codegen/gpu/products.h"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "codegen/gpu/scalars.h"
#include "codegen/product_roots.h"
#include "ir/row_tiles.h"

namespace ingot::codegen {

using namespace ir;

namespace {

constexpr int64_t lane_group = 32, many_columns = 32768;
constexpr uint64_t counter_bytes = 4096; // of a workspace, as types.h has them
// More than half of a multiprocessor's: a workgroup of the next launch finds room where one of this launch
// has ended, and no two of one launch come together while another multiprocessor has none.
constexpr uint64_t ring_budget = uint64_t{128} * 1024;
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

    // Several tokens at once, on matrix instructions.
    bool batched(const Product& p) const {
        return target_.machine == Machine::nvptx && p.quantized && most_tokens() > 1 && streamed();
    }
    // Groups of 32 lanes that compute, which share the tokens.
    uint32_t lane_groups(const Product& p) const { return batched(p) ? 12 : 8; }
    uint32_t copying_waves(const Product& p) const {
        return batched(p) ? 4 : target_.machine == Machine::nvptx ? 1 : 0;
    }
    bool streamed() const { return most_tokens() <= stream_rows; }

    // Few rows: columns that a workgroup computes together, and its shared memory.
    void stream_shape(Product& p, const Node& n) const {
        const bool whole_blocks = std::any_of(groups_.begin(), groups_.end(), [](const SinkGroup& g) {
            return std::any_of(g.sinks.begin(), g.sinks.end(), [](const Sink& s) {
                return s.kind == Sink::Kind::quantize || s.kind == Sink::Kind::square_sums;
            });
        });
        // Small granules are dealt evenly; of many columns large ones are, too. Two tiles are brought
        // together at once where there are bulk copies.
        p.granule = whole_blocks || p.columns() >= many_columns
                        ? lane_group
                        : std::max<int64_t>(target_.machine == Machine::nvptx ? 16 : 8,
                                            static_cast<int64_t>(p.height));
        const uint64_t row_lanes = 256 / p.height;
        uint64_t parts = std::max<uint64_t>(1, row_lanes / 32); // sums of a row that meet in shared memory
        auto columns = static_cast<uint64_t>(p.halves * p.granule);
        if (target_.machine == Machine::nvptx) {
            p.stages = std::clamp<uint64_t>(ring_budget / p.tile_bytes, 2, 12);
            if (batched(p)) {
                // As batch_product.h has them: eight rows at once, and some to come meanwhile.
                const uint64_t step =
                    std::max<uint64_t>(8, p.height) / p.height * static_cast<uint64_t>(p.halves);
                p.stages = std::max(p.stages, step + (step + 1) / 2);
                parts = lane_groups(p);
                columns += 8;
            }
            p.shared_bytes = p.stages * (p.tile_bytes + 24);
        }
        p.shared_bytes += 8 * columns * static_cast<uint64_t>(most_tokens()) * parts;
        if (p.shared_bytes > target_.gpu->group_memory)
            region_.unsupported(n, fmt::format("it needs {} bytes of shared memory", p.shared_bytes));
    }

    void stream(const Product& p) {
        headers_.insert(batched(p) ? "gpu/batch_product.h" : "gpu/stream_product.h");
        const Node& n = body().nodes[p.id];
        out_.line(fmt::format("using Product = {}<{}, {}, {}, {}, {}, {}, {}, {}, {}>;",
                              batched(p) ? "BatchProduct" : "StreamProduct",
                              format_name(region_, n, region_.type(n.operands[1]).element), p.halves,
                              p.columns(), p.depth, p.height, p.tile_bytes, p.granule, most_tokens(),
                              p.stages));
        out_.line(fmt::format("static_assert(Product::shared_bytes <= {});", p.shared_bytes));
        stream_prologue(p);
        consume(p, "consume",
                p.quantized ? fmt::format("Q8Rows<{}, {}>", most_tokens(), p.depth)
                            : fmt::format("F32Rows<{}, {}>", p.depth, chunk_elements(p)));
        choose(p);
        const bool nvptx = target_.machine == Machine::nvptx;
        runtime::LaunchGeometry geometry{.threads = 32 * (lane_groups(p) + copying_waves(p)),
                                         .shared_bytes = static_cast<uint32_t>(p.shared_bytes),
                                         .groups_per_unit = nvptx ? 1U : 2U};
        geometry.grid[0].count = static_cast<uint32_t>(p.granules());
        source_.geometry = geometry;
    }

    void stream_prologue(const Product& p) {
        const std::string weight = region_.memory_name(weight_of(p));
        out_.line("Product::start();");
        if (target_.machine == Machine::nvptx) {
            out_.open("if (thread_index() >= Product::consumers) {");
            out_.line(fmt::format("Product::produce({}, workspace);", weight));
            out_.line("return;");
            out_.close();
            source_.workspace_bytes = counter_bytes;
        }
        out_.line("wait_for_dependencies();");
        // What a group of 32 lanes needs of its tokens, in their order.
        const int64_t groups = lane_groups(p), turns = (most_tokens() + groups - 1) / groups;
        for (const NodeId id : scales()) {
            out_.line(fmt::format("{} sums{}[{}];", norm_sums(id), id, turns));
            out_.line("#pragma unroll");
            out_.line(fmt::format("for (int i = 0, t = {}; i < {}; ++i, t += {})",
                                  most_tokens() == 1 ? "0" : "thread_index() / 32", turns, groups));
            out_.line(fmt::format("    if (t < {}) sums{}[i].load({}, t);", region_.rows_text(tokens_), id,
                                  region_.memory_name(body().nodes[id].operands[0])));
        }
        for (const SinkGroup& g : groups_)
            for (const Sink& s : g.sinks)
                if (s.kind == Sink::Kind::argmax)
                    out_.line(fmt::format("u64 best{}[{}] = {{}};", s.node, turns));
    }

    // Many rows: matrix instructions.
    void tile(const Product& p) {
        const Node& n = body().nodes[p.id];
        for (const SinkGroup& g : groups_)
            for (const Sink& s : g.sinks)
                if (s.kind == Sink::Kind::argmax)
                    region_.unsupported(body().nodes[s.node], "a choice among the columns of many rows");
        const bool warpgroups = target_.gpu->matrix == Matrix::wgmma_sm90 && p.quantized;
        headers_.insert(warpgroups ? "gpu/warpgroup_product.h" : "gpu/tile_product.h");
        // Numbers that f16 can't hold are two.
        const Element element = region_.type(n.operands[1]).element;
        const uint32_t weight_parts = element == Element::f32 ? 2 : 1, token_parts = p.quantized ? 1 : 2;
        const uint32_t shared_bytes =
            warpgroups ? warpgroup_shared_bytes() : tile_shared_bytes(weight_parts, token_parts);
        out_.line(fmt::format("using Product = {}<{}, {}, {}, {}, {}, {}, {}, {}{}>;",
                              warpgroups ? "WarpgroupProduct" : "TileProduct",
                              format_name(region_, n, element), p.halves, p.columns(), p.depth, p.height,
                              p.tile_bytes, most_tokens(), scales().size(),
                              warpgroups ? "" : fmt::format(", {}, {}", weight_parts, token_parts)));
        out_.line(fmt::format("static_assert(Product::shared_bytes <= {});", shared_bytes));
        consume(p, "run",
                p.quantized ? fmt::format("Q8HalfBlocks<{}, {}>", most_tokens(), p.depth)
                            : fmt::format("F32HalfBlocks<{}>", p.depth));
        source_.resident_groups = warpgroups || token_parts == 2 ? 1 : 2;
        runtime::LaunchGeometry geometry{.threads = warpgroups ? 512U : 256U, .shared_bytes = shared_bytes};
        // Workgroups that share weights run at the same time.
        geometry.grid[0] = {.count = 1,
                            .symbol = static_cast<int32_t>(tokens_.symbol_index()),
                            .divisor = static_cast<uint32_t>(tile_rows)};
        geometry.grid[1].count = static_cast<uint32_t>(p.granules());
        source_.geometry = geometry;
    }

    // As tile_product.h lays it out: numbers of the tokens, and operands once or, where there is room, twice;
    // the sums of 64 tokens later lie where the operands did.
    uint32_t tile_shared_bytes(uint32_t weight_parts, uint32_t token_parts) const {
        constexpr uint32_t sums = 64 * (128 + 4) * 4;
        const uint32_t depth = token_parts == 1 ? 64 : 32,
                       operands = (weight_parts + token_parts) * 128 * (depth + 8) * 2;
        const bool twice = 2 * operands + 1024 <= target_.gpu->group_memory;
        return value_bytes() + std::max(sums, (twice ? 2 : 1) * operands);
    }
    // As warpgroup_product.h does: alignment, a ring of four stages with two barriers each.
    uint32_t warpgroup_shared_bytes() const { return 1024 + 4 * (2 * 128 * 128 + 2 * 8) + value_bytes(); }
    uint32_t value_bytes() const {
        return 512 * static_cast<uint32_t>(1 + std::max<size_t>(1, scales().size()));
    }

    // The scales of rows that the epilogue reads.
    std::vector<NodeId> scales() const {
        std::vector<NodeId> list;
        for (NodeId id = 0; id < body().nodes.size(); ++id)
            if (body().nodes[id].op == Op::norm_scale) list.push_back(id);
        return list;
    }

    // The type of a row's sums of squares, and its scale in terms of them.
    std::string norm_sums(NodeId id) const {
        const Node& n = body().nodes[id];
        if (!region_.is_param(n.operands[0])) region_.unsupported(n, "its sums are made by the same kernel");
        return fmt::format("NormSums<{}>", region_.columns(n.operands[0]));
    }
    std::string norm_scale(NodeId id, std::string_view sums) const {
        const Node& n = body().nodes[id];
        return fmt::format("{}.scale({}.0f, {})", sums, int_attr(n, "columns"),
                           literal(float_attr(n, "eps")));
    }

    // Calls the template's function with its input, as `type`, and what follows the product.
    void consume(const Product& p, std::string_view function, const std::string& type) {
        ReadsAhead reads;
        SourceText epilogue;
        for (const SinkGroup& g : groups_)
            segment(p, g, reads, epilogue);
        reads.declare(out_);
        const std::string memory = region_.memory_name(input_of(p));
        out_.line(fmt::format(
            "Product::{}<Ahead>({}, {}{{{}}}, {},", function, region_.memory_name(weight_of(p)), type,
            p.quantized ? fmt::format("const_cast<u8*>({})", memory) : memory, region_.rows_text(tokens_)));
        if (!streamed()) {
            out_.open("[&](int token, f32* values) {");
            for (size_t i = 0; i < scales().size(); ++i) {
                const NodeId id = scales()[i];
                out_.line(fmt::format("{} sums{};", norm_sums(id), i));
                out_.line(fmt::format("sums{}.load({}, token);", i,
                                      region_.memory_name(body().nodes[id].operands[0])));
                out_.line(
                    fmt::format("const f32 scale{} = {};", i, norm_scale(id, fmt::format("sums{}", i))));
                out_.line(
                    fmt::format("if (thread_index() % 32 == 0) values[{0} * tile_tokens] = scale{0};", i));
            }
            out_.close("},");
        }
        out_.open("[&](int product_column, bool valid, int token, Ahead& in) {");
        reads.fill(out_);
        out_.close("},");
        out_.open(fmt::format(
            "[&](int product_column, bool valid, int token{}, const f32 (&y)[{}], const Ahead& in{}) {{",
            streamed() ? ", int turn" : "", p.halves, streamed() ? "" : ", const f32* values"));
        if (streamed())
            for (const NodeId id : scales())
                out_.line(fmt::format("const f32 scale{} = {};", id,
                                      norm_scale(id, fmt::format("sums{}[turn]", id))));
        out_.block(epilogue);
        out_.close("});");
    }

    int64_t chunk_elements(const Product& p) const {
        return 16 / static_cast<int64_t>(info(region_.type(weight_of(p)).element).block_bytes);
    }

    // The sinks of values with the same columns.
    void segment(const Product& p, const SinkGroup& g, ReadsAhead& reads, SourceText& out) {
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
        const std::vector<std::string> where = {
            fmt::format("const int column = product_column - {};", begin),
            whole ? std::string("const bool active = valid;")
                  : fmt::format("const bool active = valid && column >= 0 && column < {};", g.width)};
        reads.begin_block(where);
        out.open("{");
        for (const std::string& line : where)
            out.line(line);
        const LanePlace place{.row = "token", .column = "column", .active = "active", .ahead = &reads};
        ScalarEmitter emitter(
            region_, out, place, [&](ValueId v, int64_t shift) -> std::optional<std::string> {
                const Node* n = region_.producer(v);
                if (n == nullptr) return std::nullopt;
                if (n->op == Op::norm_scale) {
                    const auto id = static_cast<NodeId>(n - body().nodes.data());
                    if (streamed()) return fmt::format("scale{}", id);
                    const std::vector<NodeId> all = scales();
                    return fmt::format("values[{} * tile_tokens]",
                                       std::find(all.begin(), all.end(), id) - all.begin());
                }
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
                emit_store(region_, out, s.value, value, place);
                break;
            case Sink::Kind::quantize:
            case Sink::Kind::square_sums:
                if (begin % lane_group != 0)
                    region_.unsupported(n, "what is quantised does not begin at a block of 32 columns");
                s.kind == Sink::Kind::quantize ? emit_quantize(region_, out, n, value, place)
                                               : emit_square_sums(region_, out, n, value, place);
                break;
            case Sink::Kind::append:
                emit_append(region_, out, n, value, place);
                break;
            case Sink::Kind::argmax:
                out.line(
                    fmt::format("const u64 key{0} = active ? choice_key({1}, column) : 0;", s.node, value));
                out.line(fmt::format("if (key{0} > best{0}[turn]) best{0}[turn] = key{0};", s.node));
                break;
            }
        }
        out.close();
    }

    void choose(const Product& p) {
        bool chooses = false;
        for (const SinkGroup& g : groups_)
            for (const Sink& s : g.sinks) {
                if (s.kind != Sink::Kind::argmax) continue;
                if (std::exchange(chooses, true)) region_.unsupported("two choices in one kernel");
                source_.workspace_bytes = counter_bytes;
                out_.line(fmt::format(
                    "choose<{0}, {1}>(reinterpret_cast<ChoiceSpace<{0}>*>(workspace), best{2}, {3}, {4});",
                    most_tokens(), lane_groups(p), s.node, region_.rows_text(tokens_),
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
