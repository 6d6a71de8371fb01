#include "codegen/gpu_source.h"

#include <algorithm>
#include <set>

#include <fmt/format.h>

#include "codegen/gpu/attention.h"
#include "codegen/gpu/products.h"
#include "codegen/gpu/rows.h"
#include "codegen/region.h"

namespace ingot::codegen {

using namespace ir;

namespace {

bool has(const Graph& body, Op op) {
    return std::any_of(body.nodes.begin(), body.nodes.end(), [&](const Node& n) { return n.op == op; });
}

std::string pointer_type(const Type& t, bool is_const) {
    std::string base = "u8";
    if (!is_packed(t.layout)) {
        if (t.element == Element::f32) base = "f32";
        if (t.element == Element::f16) base = "u16";
        if (t.element == Element::i32) base = "i32";
    }
    return is_const ? "const " + base + "*" : base + "*";
}

std::string parameters(const Region& region, bool workspace) {
    std::vector<std::string> list;
    const Graph& body = region.body;
    for (size_t i = 0; i < body.params.size(); ++i) {
        const Type& t = region.type(body.params[i]);
        list.push_back(fmt::format("{} p{}", pointer_type(t, t.pool != Pool::state), i));
    }
    for (size_t i = 0; i < body.results.size(); ++i)
        list.push_back(fmt::format("{} r{}", pointer_type(region.type(body.results[i]), false), i));
    if (workspace) list.emplace_back("u8* workspace");
    for (size_t i = 0; i < body.symbols.size(); ++i)
        list.push_back(fmt::format("int s{}", i));
    std::string text;
    for (const std::string& p : list)
        text += (text.empty() ? "" : ", ") + p;
    return text;
}

} // namespace

KernelSource gpu_kernel_source(const Target& target, const Graph& body, std::string_view node_name) {
    const Region region(body, node_name, "s{}");
    KernelSource source;
    std::set<std::string> headers{"gpu/target.h"};
    SourceText text;
    if (has(body, Op::attention))
        emit_gpu_attention(region, target, text, headers, source);
    else if (has(body, Op::matmul))
        emit_gpu_product_kernel(region, target, text, headers, source);
    else
        emit_gpu_row_kernel(region, text, headers, source);
    for (const std::string& header : headers)
        source.text += fmt::format("#include \"{}\"\n", header);
    source.text += fmt::format("\nusing namespace ingot_gpu;\n\nINGOT_KERNEL({}, {}) void {}({}) {{\n",
                               source.geometry->threads, source.resident_groups, kernel_symbol,
                               parameters(region, source.workspace_bytes > 0));
    source.text += text.str() + "}\n";
    return source;
}

} // namespace ingot::codegen
