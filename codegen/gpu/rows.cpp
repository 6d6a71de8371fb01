#include "codegen/gpu/rows.h"

#include <algorithm>
#include <map>

#include <fmt/format.h>

#include "codegen/gpu/scalars.h"

namespace ingot::codegen {

using namespace ir;

namespace {

constexpr int64_t threads = 256;

// A value that is stored, or consumed by a node that stores.
struct Stored {
    ValueId value = 0;
    const Node* node = nullptr; // quantize, square_sums or kv_append
};

// What to store, by the number of columns.
std::map<int64_t, std::vector<Stored>> targets_of(const Region& region) {
    std::map<int64_t, std::vector<Stored>> targets;
    for (const Node& n : region.body.nodes) {
        const bool consumes = n.op == Op::quantize || n.op == Op::square_sums || n.op == Op::kv_append;
        if (consumes) {
            if (n.op != Op::kv_append && !region.result_index(n.results[0]))
                region.unsupported(n, "its result is used inside the kernel that computes it");
            const ValueId x = n.operands[n.op == Op::kv_append ? 1 : 0];
            targets[region.columns(x)].push_back({.value = x, .node = &n});
        } else if (region.result_index(n.results[0])) {
            targets[region.columns(n.results[0])].push_back({.value = n.results[0]});
        }
    }
    return targets;
}

std::optional<std::string> leaf(const Region& region, ValueId v, int64_t shift,
                                std::set<std::string>& headers) {
    const Node* n = region.producer(v);
    if (n == nullptr) return std::nullopt;
    const std::string column = shift == 0 ? "column" : fmt::format("(column + {})", shift);
    const auto memory = [&](size_t i) { return region.memory_name(n->operands[i]); };
    switch (n->op) {
    case Op::embed: {
        const Type& table = region.type(n->operands[1]);
        if (table.layout != Layout::row_tiles)
            region.unsupported(*n, "its table must be packed in row tiles");
        headers.insert("gpu/" + format_header(table.element));
        return fmt::format("(active ? table_element<{}>({}, {}[row], {}) : 0.0f)",
                           row_tile_arguments(region, *n, table), memory(1), memory(0), column);
    }
    case Op::gather_rows:
        return fmt::format("(active ? {}[u64(u32({}[row])) * {} + {}] : 0.0f)", memory(0), memory(1),
                           region.columns(v), column);
    case Op::rope_angles:
        return fmt::format("rope_angle<{}>({}[row], {}, {})", region.columns(n->operands[1]), memory(0),
                           memory(1), column);
    default:
        return std::nullopt;
    }
}

void store(const Region& region, SourceText& out, const Stored& t, ScalarEmitter& emitter,
           const LanePlace& place) {
    const std::string value = emitter.value(t.value);
    if (t.node == nullptr)
        emit_store(region, out, t.value, value, place);
    else if (t.node->op == Op::quantize)
        emit_quantize(region, out, *t.node, value, place);
    else if (t.node->op == Op::square_sums)
        emit_square_sums(region, out, *t.node, value, place);
    else
        emit_append(region, out, *t.node, value, place);
}

} // namespace

void emit_gpu_row_kernel(const Region& region, SourceText& out, std::set<std::string>& headers,
                         KernelSource& source) {
    headers.insert("gpu/rows.h");
    const auto targets = targets_of(region);
    if (targets.empty()) region.unsupported("it computes nothing");
    std::optional<Dim> rows;
    int64_t widest = 0;
    for (const auto& [width, list] : targets)
        for (const Stored& t : list) {
            const Dim d = region.rows(t.value);
            if (rows && *rows != d) region.unsupported("its results have different numbers of rows");
            rows = d;
            widest = std::max(widest, width);
        }
    out.line("wait_for_dependencies();");
    out.line("start_dependents();");
    out.line("const int row = group_index_y();");
    for (const auto& [width, list] : targets) {
        out.open(fmt::format(
            "for (int column = group_index() * {0} + thread_index(); column / 32 * 32 < {1}; column "
            "+= group_count() * {0}) {{",
            threads, width));
        out.line(fmt::format("const bool active = column < {};", width));
        const LanePlace place{.row = "row", .column = "column", .active = "active"};
        ScalarEmitter emitter(region, out, place,
                              [&](ValueId v, int64_t shift) { return leaf(region, v, shift, headers); });
        for (const Stored& t : list)
            store(region, out, t, emitter, place);
        out.close();
    }
    runtime::LaunchGeometry geometry{.threads = threads};
    geometry.grid[0].count = static_cast<uint32_t>((widest + threads - 1) / threads);
    if (const auto number = region.constant(*rows))
        geometry.grid[1].count = static_cast<uint32_t>(*number);
    else
        geometry.grid[1] = {.count = 1, .symbol = static_cast<int32_t>(rows->symbol_index()), .divisor = 1};
    source.geometry = geometry;
}

} // namespace ingot::codegen
