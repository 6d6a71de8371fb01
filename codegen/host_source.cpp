#include "codegen/host_source.h"

#include <algorithm>
#include <numeric>
#include <set>

#include <fmt/format.h>

#include "codegen/host/products.h"
#include "codegen/host/rows.h"
#include "codegen/region.h"

namespace ingot::codegen {

using namespace ir;

namespace {

bool has(const Graph& body, Op op) {
    return std::any_of(body.nodes.begin(), body.nodes.end(), [&](const Node& n) { return n.op == op; });
}

// An upper bound of attention_workspace_bytes (attention.h) for host_max_threads; the kernel asserts that it
// is one. A thread leaves at most two partial results, each a row of width floats, a maximum and a sum for
// every query head of a tile: the group's, or about 48, rounded up to register tiles.
uint64_t attention_workspace(int64_t group, int64_t head_dim, int64_t block) {
    const int64_t joined = block / std::gcd(block, group * head_dim);
    const int64_t rows = std::max<int64_t>(group, 48) + 24, width = (head_dim + 15) / 16 * 16;
    const int64_t partial = (joined * rows * (width * 4 + 8) + 255) / 64 * 64;
    return static_cast<uint64_t>(64 + 2 * partial) * host_max_threads;
}

// attention, alone or with its result quantised.
void emit_attention_kernel(const Region& region, SourceText& out, std::set<std::string>& headers,
                           uint64_t& workspace_bytes) {
    headers.insert("attention.h");
    headers.insert("attention_out.h");
    const Node& n = *std::find_if(region.body.nodes.begin(), region.body.nodes.end(),
                                  [](const Node& m) { return m.op == Op::attention; });
    ValueId result = n.results[0];
    for (const Node& m : region.body.nodes) {
        if (&m == &n) continue;
        if (m.op != Op::quantize || m.operands[0] != n.results[0])
            region.unsupported(m, "it can't stand in one host kernel with attention");
        result = m.results[0];
    }
    if (region.body.results.size() != 1 || region.body.results[0] != result)
        region.unsupported(n, "a host kernel gives its result either as f32 or quantised");
    const Type& keys = region.type(n.operands[1]);
    const Type& values = region.type(n.operands[2]);
    const std::string cache = cache_arguments(region, n, keys);
    if (cache != cache_arguments(region, n, values) || keys.layout != Layout::kv_channels ||
        values.layout != Layout::rows)
        region.unsupported(n, "keys must lie in kv_channels, values in rows, with equal dims and elements");
    const int64_t width = region.columns(n.operands[0]), head_dim = keys.dims[3].constant();
    if (head_dim < 16)
        region.unsupported(n,
                           fmt::format("host kernels need heads of at least 16 channels, not {}", head_dim));
    const int64_t heads = width / head_dim, kv_heads = keys.dims[1].constant();
    const bool quantized = result != n.results[0];
    const std::string element = cache.substr(0, cache.find(','));
    const std::string rows = fmt::format("{}<{}>", quantized ? "Q8Rows" : "F32Rows", width);
    const std::string shape =
        fmt::format("{}, {}, {}, {}, {}, {}", heads, kv_heads, head_dim, keys.dims[2].constant(), rows,
                    region.most(region.rows(n.operands[0])));
    uint64_t bytes = 0;
    std::string workspace;
    if (n.operands.size() == 7) {
        bytes = max_bytes(region.type(n.operands[6]), region.body.symbols);
        workspace = region.memory_name(n.operands[6]);
    } else {
        bytes = workspace_bytes = attention_workspace(heads / kv_heads, head_dim, quantized ? 32 : 1);
        workspace = fmt::format("c->operand[{}]", region.body.params.size() + region.body.results.size());
    }
    out.line(fmt::format("static_assert(attention_workspace_bytes<{}>({}) <= {});", shape, host_max_threads,
                         bytes));
    const auto memory = [&](size_t i) { return region.memory_name(n.operands[i]); };
    out.line(fmt::format("attention<{}, {}>(c, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}{{{}}});", element,
                         shape, memory(0), memory(1), memory(2), memory(3), memory(4), memory(5),
                         region.columns(n.operands[5]), region.rows_text(region.rows(n.operands[0])),
                         literal(float_attr(n, "scale")), workspace, rows, region.memory_name(result)));
}

} // namespace

KernelSource host_kernel_source(const Graph& body, std::string_view node_name) {
    const Region region(body, node_name, "c->dims[{}]");
    KernelSource source;
    std::set<std::string> headers{"runtime/host_abi.h", "memory.h", "simd.h"};
    SourceText text;
    text.open(fmt::format(
        "extern \"C\" __attribute__((visibility(\"default\"))) void {}(const ingot_host::Call* c) {{",
        kernel_symbol));
    text.line("using namespace ingot_host;");
    region.declare_operands(text);
    if (has(body, Op::matmul))
        emit_product_kernel(region, text, headers, source.weights);
    else if (has(body, Op::attention))
        emit_attention_kernel(region, text, headers, source.workspace_bytes);
    else
        emit_row_kernel(region, text, headers);
    text.close();
    for (const std::string& header : headers)
        source.text += fmt::format("#include \"{}\"\n", header);
    source.text += "\n" + text.str();
    return source;
}

} // namespace ingot::codegen
