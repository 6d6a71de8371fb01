#include "codegen/gpu/attention.h"

#include <algorithm>
#include <numeric>

#include <fmt/format.h>

#include "codegen/gpu/scalars.h"

namespace ingot::codegen {

using namespace ir;

namespace {

// Workgroups that one token's attention is split into, about: four for each of many multiprocessors, so that
// enough loads are on their way.
constexpr int64_t wanted_groups = 256;
constexpr int64_t most_splits = 64;
constexpr uint32_t threads = 128, warps = 4; // as attention_step.h has them
constexpr int64_t counters = 1024;           // as types.h has it

struct Shape {
    int64_t heads = 0, kv_heads = 0, channels = 0, positions = 0, tokens = 0, splits = 0, join = 0;

    int64_t group() const { return heads / kv_heads; }
    // Sizes of AttentionStep::Shared and ::Space; the kernel asserts them.
    uint64_t shared_bytes() const {
        const int64_t floats =
            group() * channels + int64_t{warps} * (32 * group() + 2 * group() + group() * channels);
        return static_cast<uint64_t>(floats * 4 + 4);
    }
    // One part a token and KV head, which needs no workspace.
    bool alone() const { return splits == 1 && join == 1; }
    uint64_t space_bytes() const {
        if (alone()) return 0;
        return static_cast<uint64_t>(4 * (counters + tokens * kv_heads * splits * group() * (channels + 2)));
    }
};

} // namespace

void emit_attention_step(const Region& region, SourceText& out, std::set<std::string>& headers,
                         KernelSource& source) {
    headers.insert("gpu/attention_step.h");
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
    // Many tokens are parts enough.
    s.splits = s.tokens > 16 ? 1 : std::clamp<int64_t>(wanted_groups / s.kv_heads, 1, most_splits);
    s.join = quantize != nullptr ? 32 / std::gcd<int64_t>(32, s.group() * s.channels) : 1;

    if (!s.alone() && s.tokens * s.kv_heads / s.join >= counters)
        region.unsupported(n, fmt::format("{} tokens of {} KV heads are too many", s.tokens, s.kv_heads));
    out.line(fmt::format("using Attention = AttentionStep<{}, {}, {}, {}, {}, {}, {}, {}>;",
                         cache.substr(0, cache.find(',')), s.heads, s.kv_heads, s.channels, s.positions,
                         s.tokens, s.splits, s.join));
    out.line(fmt::format("static_assert(sizeof(Attention::Shared) <= {});", s.shared_bytes()));
    if (!s.alone()) out.line(fmt::format("static_assert(sizeof(Attention::Space) <= {});", s.space_bytes()));
    out.line("start_dependents();");
    out.line("wait_for_dependencies();");
    const auto memory = [&](size_t i) { return region.memory_name(n.operands[i]); };
    out.open(fmt::format(
        "Attention::run({}, {}, {}, {}, {}, {}, {}, {}, {}, [&](int column, bool active, f32 y) {{",
        memory(0), memory(1), memory(2), memory(3), memory(4), memory(5), region.columns(n.operands[5]),
        literal(float_attr(n, "scale")), s.alone() ? "nullptr" : "workspace"));
    out.line("const int token = group_index_y();");
    const LanePlace place{.row = "token", .column = "column", .active = "active"};
    if (quantize != nullptr)
        emit_quantize(region, out, *quantize, "y", place);
    else
        emit_store(region, out, result, "y", place);
    out.close("});");

    runtime::LaunchGeometry geometry{.threads = threads,
                                     .shared_bytes = static_cast<uint32_t>(s.shared_bytes())};
    geometry.grid[0].count = static_cast<uint32_t>(s.kv_heads * s.splits);
    const Dim rows = region.rows(n.operands[0]);
    if (const auto number = region.constant(rows))
        geometry.grid[1].count = static_cast<uint32_t>(*number);
    else
        geometry.grid[1] = {.count = 1, .symbol = static_cast<int32_t>(rows.symbol_index()), .divisor = 1};
    source.geometry = geometry;
    source.workspace_bytes = s.space_bytes();
}

} // namespace ingot::codegen
