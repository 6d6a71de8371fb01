#include "codegen/gpu/attention.h"

#include <algorithm>
#include <numeric>

#include <fmt/format.h>

#include "codegen/gpu/scalars.h"

namespace ingot::codegen {

using namespace ir;

namespace {

// Workgroups that one token's attention is split into, about: two for each of many multiprocessors, so that
// enough loads are on their way.
constexpr int64_t wanted_groups = 256;
constexpr int64_t most_splits = 64;
constexpr uint32_t threads = 128; // as attention_parts.h has them
constexpr int64_t warps = 4;
constexpr int64_t counters = 1024; // as types.h has it

struct Shape {
    int64_t heads = 0, kv_heads = 0, channels = 0, positions = 0, tokens = 0, splits = 0, join = 0;
    bool tiles = false; // on matrix instructions (attention_tile.h)
    // Otherwise bytes of a query's channel and of a weight.
    int64_t factor_bytes = 4;

    int64_t group() const { return heads / kv_heads; }
    // One part a token and KV head, which needs no workspace.
    bool alone() const { return splits == 1 && join == 1; }
    int64_t queries() const { return tiles && alone() ? 16 / group() : 1; } // tokens of a tile
    // Sizes of Shared and Space; the kernel asserts them.
    uint64_t shared_bytes() const {
        int64_t floats = 2 * warps * group() + warps * group() * channels + join * group() * splits + 1;
        if (tiles && alone()) floats = std::max(floats, warps * queries() * group() * channels);
        int64_t bytes = floats * 4;
        if (!tiles) bytes = std::max(bytes, step_bytes());
        return static_cast<uint64_t>((bytes + 15) / 16 * 16);
    }
    // Queries and weights of attention_step.h.
    int64_t step_bytes() const {
        const int64_t octets = channels / 8, wide = std::clamp<int64_t>(32 / octets, 1, 16),
                      pairs = (octets < 32 ? 31 / octets : 0) + ((16 + wide - 1) / wide - 1) * wide + 1;
        const int64_t queries = channels * group() * factor_bytes,
                      weights = warps * pairs * group() * 2 * factor_bytes;
        return (queries + 15) / 16 * 16 + weights;
    }
    uint64_t space_bytes() const {
        if (alone()) return 0;
        return static_cast<uint64_t>(4 * (counters + tokens * kv_heads * splits * group() * (channels + 2)));
    }
};

} // namespace

void emit_gpu_attention(const Region& region, const Target& target, SourceText& out,
                        std::set<std::string>& headers, KernelSource& source) {
    const Node& n = *std::find_if(region.body.nodes.begin(), region.body.nodes.end(),
                                  [](const Node& m) { return m.op == Op::attention; });
    const Node* quantize = nullptr;
    for (const Node& m : region.body.nodes) {
        if (&m == &n) continue;
        if (m.op != Op::quantize || m.operands[0] != n.results[0])
            region.unsupported(m, "it can't stand in one GPU kernel with attention");
        quantize = &m;
    }
    const ValueId result = quantize != nullptr ? quantize->results[0] : n.results[0];
    if (region.body.results.size() != 1 || region.body.results[0] != result)
        region.unsupported(n, "a GPU kernel gives its result either as f32 or quantised");
    const Type& keys = region.type(n.operands[1]);
    const Type& values = region.type(n.operands[2]);
    const std::string cache = gpu_cache_arguments(region, n, keys);
    if (cache != gpu_cache_arguments(region, n, values) || keys.layout != Layout::kv_octets ||
        values.layout != Layout::rows)
        region.unsupported(n, "keys must lie in kv_octets, values in rows, with equal dims and elements");
    Shape s{.kv_heads = keys.dims[1].constant(),
            .channels = keys.dims[3].constant(),
            .positions = keys.dims[2].constant(),
            .tokens = region.most(region.rows(n.operands[0]))};
    s.heads = region.columns(n.operands[0]) / s.channels;
    if (s.positions % 32 != 0) region.unsupported(n, "pages must have a multiple of 32 positions");
    // Many tokens are parts enough, and parts that a token does not have cost a launch each.
    s.splits = s.tokens > 16
                   ? 1
                   : std::clamp<int64_t>(wanted_groups * (s.tokens > 1 ? 2 : 1) / s.kv_heads / s.tokens, 1,
                                         most_splits);
    s.join = quantize != nullptr ? 32 / std::gcd<int64_t>(32, s.group() * s.channels) : 1;

    const bool f16 = keys.element == Element::f16;
    s.tiles = target.machine == Machine::nvptx && f16 && s.group() <= 16 && s.channels <= 128 &&
              (s.tokens <= 16 || s.alone());

    // Where the result is quantised, queries and weights lose less as f16 than it does as a byte.
    const bool f16_factors = f16 && quantize != nullptr;
    s.factor_bytes = f16_factors ? 2 : 4;

    if (!s.alone() && s.tokens * s.kv_heads / s.join > counters - 2)
        region.unsupported(n, fmt::format("{} tokens of {} KV heads are too many", s.tokens, s.kv_heads));
    headers.insert(s.tiles ? "gpu/attention_tile.h" : "gpu/attention_step.h");
    const std::string shape = fmt::format("{}, {}, {}, {}, {}, {}, {}", s.heads, s.kv_heads, s.channels,
                                          s.positions, s.tokens, s.splits, s.join);
    if (s.tiles)
        out.line(fmt::format("using Attention = AttentionTile<{}, {}, {}>;", shape, s.alone(),
                             quantize != nullptr ? 1 : 2));
    else
        out.line(fmt::format("using Attention = AttentionStep<{}, {}, {}>;", f16 ? "F16Cache" : "F32Cache",
                             f16_factors ? "F16Cache" : "F32Cache", shape));
    out.line(fmt::format("static_assert(sizeof(Attention::Shared) <= {});", s.shared_bytes()));
    if (!s.alone()) out.line(fmt::format("static_assert(sizeof(Attention::Space) <= {});", s.space_bytes()));
    out.line("wait_for_dependencies();");
    out.line("start_dependents();");
    const auto memory = [&](size_t i) { return region.memory_name(n.operands[i]); };
    const std::string operands =
        fmt::format("{}, {}, {}, {}, {}, {}, {}, {}", memory(0), memory(1), memory(2), memory(3), memory(4),
                    memory(5), region.columns(n.operands[5]), literal(float_attr(n, "scale")));
    const Dim rows = region.rows(n.operands[0]);
    const bool many = s.tiles && s.alone();
    if (many) {
        out.open(fmt::format("Attention::run_tokens({}, {}, [&](int token, int column, f32 y) {{", operands,
                             region.rows_text(rows)));
        out.line("const bool active = true;");
    } else {
        out.open(fmt::format("Attention::run({}, {}, [&](int column, bool active, f32 y) {{", operands,
                             s.alone() ? "nullptr" : "workspace"));
        out.line("const int token = group_index_y();");
    }
    const LanePlace place{.row = "token", .column = "column", .active = "active"};
    if (quantize != nullptr)
        emit_quantize(region, out, *quantize, "y", place);
    else
        emit_store(region, out, result, "y", place);
    out.close("});");

    runtime::LaunchGeometry geometry{.threads = threads,
                                     .shared_bytes = static_cast<uint32_t>(s.shared_bytes())};
    geometry.grid[0].count = static_cast<uint32_t>(s.kv_heads * s.splits);
    const auto divisor = static_cast<uint32_t>(many ? warps * s.queries() : 1);
    if (const auto number = region.constant(rows))
        geometry.grid[1].count = (static_cast<uint32_t>(*number) + divisor - 1) / divisor;
    else
        geometry.grid[1] = {
            .count = 1, .symbol = static_cast<int32_t>(rows.symbol_index()), .divisor = divisor};
    source.geometry = geometry;
    source.workspace_bytes = s.space_bytes();
}

} // namespace ingot::codegen
