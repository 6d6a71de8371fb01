#include "codegen/host/rows.h"

#include <algorithm>

#include <fmt/format.h>

namespace ingot::codegen {

using namespace ir;

std::string cache_arguments(const Region& region, const Node& n, const Type& cache) {
    if (cache.element != Element::f16 && cache.element != Element::f32)
        region.unsupported(
            n, fmt::format("host kernels keep caches in f16 or f32, not {}", info(cache.element).text));
    const auto dim = [&](size_t i) {
        const auto number = region.constant(cache.dims[i]);
        if (!number) region.unsupported(n, "the cache's dims must be constants");
        return *number;
    };
    if (dim(3) % 8 != 0 || dim(2) % 16 != 0)
        region.unsupported(
            n, fmt::format("host kernels need heads of a multiple of 8 channels (here {}) and pages of a "
                           "multiple of 16 positions (here {})",
                           dim(3), dim(2)));
    return fmt::format("{}, {}, {}, {}", cache.element == Element::f16 ? "_Float16" : "float", dim(1), dim(3),
                       dim(2));
}

std::string append_function(const Region& region, const Node& n, const Type& cache) {
    if (cache.layout == Layout::kv_channels) return "append_k";
    if (cache.layout == Layout::rows) return "append_v";
    region.unsupported(n, fmt::format("a cache has no layout {}", text(cache.layout)));
}

std::string RowEmitter::pointer(ValueId v) const {
    if (region_.in_memory(v)) return region_.row_pointer(v, row_);
    const Node& n = *region_.producer(v);
    if (n.op == Op::slice_cols) return fmt::format("({} + {})", pointer(n.operands[0]), int_attr(n, "begin"));
    if (n.op == Op::gather_rows)
        return fmt::format("({} + u64(u32({}[{}])) * {})", region_.memory_name(n.operands[0]),
                           region_.memory_name(n.operands[1]), row_, region_.columns(v));
    return fmt::format("v{}", v);
}

std::string RowEmitter::destination(ValueId v) {
    if (!region_.in_memory(v)) {
        const bool quantized = region_.type(v).element == Element::q8a;
        out_.line(fmt::format("alignas(64) {} v{}[{}];", quantized ? "u8" : "float", v,
                              quantized ? region_.columns(v) / 32 * 44 : region_.columns(v)));
    }
    return pointer(v);
}

void RowEmitter::compute(ValueId v) {
    if (region_.is_param(v) || !done_.insert(v).second) return;
    const Node& n = *region_.producer(v);
    switch (n.op) {
    case Op::rms_norm:
        return norm(n);
    case Op::quantize:
        return quantize(n);
    case Op::rope:
        return rope(n);
    case Op::embed:
        return embed(n);
    case Op::rope_angles:
        return angles(n);
    case Op::argmax:
        return argmax(n);
    case Op::kv_append:
        return append(n);
    case Op::gather_rows:
    case Op::slice_cols:
        if (n.op == Op::gather_rows && !region_.in_memory(n.operands[0]))
            region_.unsupported(n, "it gathers rows that this kernel itself computes");
        if (n.op == Op::slice_cols) compute(n.operands[0]);
        // Without memory of its own it is only an address.
        if (region_.in_memory(v)) {
            const std::string from =
                n.op == Op::slice_cols
                    ? fmt::format("{} + {}", pointer(n.operands[0]), int_attr(n, "begin"))
                    : fmt::format("{} + u64(u32({}[{}])) * {}", region_.memory_name(n.operands[0]),
                                  region_.memory_name(n.operands[1]), row_, region_.columns(v));
            out_.line(fmt::format("for (int j = 0; j < {0}; ++j) ({1})[j] = ({2})[j];", region_.columns(v),
                                  pointer(v), from));
        }
        return;
    default:
        if (!is_pointwise(n.op)) region_.unsupported(n, "it can't stand there in a host kernel");
        return pointwise(n);
    }
}

void RowEmitter::pointwise(const Node& n) {
    headers_.insert("pointwise.h");
    for (const ValueId v : n.operands)
        compute(v);
    const ValueId result = n.results[0];
    const int64_t width = region_.columns(result);
    const std::string to = destination(result);
    out_.open(fmt::format("for (int j = 0; j < {}; j += lanes) {{", width));
    const std::string count = width % 16 == 0 ? "lanes" : fmt::format("{} - j", width);
    std::string formals, actuals;
    for (size_t i = 0; i < n.operands.size(); ++i) {
        const ValueId v = n.operands[i];
        const std::string comma = i == 0 ? "" : ", ";
        formals += fmt::format("{}f32x16 {}", comma, info(n.op).operands[i]);
        actuals += comma + (region_.columns(v) == 1 && width != 1
                                ? fmt::format("splat(*{})", pointer(v))
                                : fmt::format("load_lanes({} + j, {})", pointer(v), count));
    }
    out_.line(fmt::format("const f32x16 y = []({}) {{ return {}; }}({});", formals, info(n.op).expression,
                          actuals));
    out_.line(fmt::format("store_lanes({} + j, y, {});", to, count));
    out_.close();
}

void RowEmitter::norm(const Node& n) {
    headers_.insert("norm.h");
    compute(n.operands[0]);
    compute(n.operands[1]);
    const std::string to = destination(n.results[0]);
    out_.line(fmt::format("rms_norm_row<{}>({}, {}, {}, {});", region_.columns(n.results[0]),
                          pointer(n.operands[0]), pointer(n.operands[1]), literal(float_attr(n, "eps")), to));
}

void RowEmitter::quantize(const Node& n) {
    headers_.insert("norm.h");
    const ValueId x = n.operands[0];
    const int64_t width = region_.columns(x);
    const Node* maker = region_.producer(x);
    if (maker != nullptr && maker->op == Op::rms_norm && region_.has_one_reader(x)) {
        // One pass: the normalised row is never stored.
        compute(maker->operands[0]);
        compute(maker->operands[1]);
        const std::string to = destination(n.results[0]);
        out_.line(fmt::format("rms_norm_quantize_row<{}>({}, {}, {}, {});", width,
                              pointer(maker->operands[0]), pointer(maker->operands[1]),
                              literal(float_attr(*maker, "eps")), to));
        return;
    }
    compute(x);
    const std::string to = destination(n.results[0]);
    out_.line(fmt::format("quantize_row<{}>({}, {});", width, pointer(x), to));
}

void RowEmitter::rope(const Node& n) {
    headers_.insert("rope_channels.h");
    headers_.insert("pointwise.h");
    compute(n.operands[0]);
    compute(n.operands[1]);
    const int64_t width = region_.columns(n.results[0]);
    const std::string to = destination(n.results[0]);
    out_.open(fmt::format("for (int j = 0; j < {}; j += lanes) {{", width));
    const std::string count = width % 16 == 0 ? "lanes" : fmt::format("{} - j", width);
    out_.line(fmt::format("const f32x16 y = rotate_channels<{}>(load_lanes({} + j, {}), {}, j);",
                          int_attr(n, "head_dim"), pointer(n.operands[0]), count, pointer(n.operands[1])));
    out_.line(fmt::format("store_lanes({} + j, y, {});", to, count));
    out_.close();
}

void RowEmitter::embed(const Node& n) {
    const Type& table = region_.type(n.operands[1]);
    if (table.layout != Layout::panel16) region_.unsupported(n, "its table must be packed in panel16");
    headers_.insert("matmul.h");
    headers_.insert(format_header(table.element));
    const std::string to = destination(n.results[0]);
    out_.line(fmt::format("dequant_row<{}, {}>({}, {}[{}], {});", format_name(region_, n, table.element),
                          region_.columns(n.results[0]), region_.memory_name(n.operands[1]),
                          region_.memory_name(n.operands[0]), row_, to));
}

void RowEmitter::angles(const Node& n) {
    headers_.insert("rope.h");
    const std::string to = destination(n.results[0]);
    out_.line(fmt::format("rope_angles<{}, {}>({}[{}], {}, {});", region_.columns(n.operands[1]),
                          int_attr(n, "head_dim"), region_.memory_name(n.operands[0]), row_,
                          region_.memory_name(n.operands[1]), to));
}

void RowEmitter::argmax(const Node& n) {
    headers_.insert("head.h");
    headers_.insert("pointwise.h");
    compute(n.operands[0]);
    const int64_t width = region_.columns(n.operands[0]);
    out_.open("{");
    out_.line("BestLanes best;");
    out_.line(fmt::format(
        "for (int j = 0; j < {0}; j += lanes) best.fold(load_lanes({1} + j, {0} - j), j, {0} - j < "
        "lanes ? {0} - j : lanes);",
        width, pointer(n.operands[0])));
    out_.line(fmt::format("{}[{}] = best.best().id;", region_.memory_name(n.results[0]), row_));
    out_.close();
}

void RowEmitter::append(const Node& n) {
    headers_.insert("kv_cache.h");
    headers_.insert("pointwise.h");
    const Type& cache = region_.type(n.operands[0]);
    compute(n.operands[1]);
    const int64_t width = region_.columns(n.operands[1]);
    const std::string count =
        width % 16 == 0 ? "lanes" : fmt::format("({0} - j < lanes ? {0} - j : lanes)", width);
    out_.line(fmt::format("for (int j = 0; j < {}; j += lanes)", width));
    out_.line(
        fmt::format("    {}<{}>({}, {} + u64(u32({}[{}])) * {}, {}[{}], j, load_lanes({} + j, {}), {});",
                    append_function(region_, n, cache), cache_arguments(region_, n, cache),
                    region_.memory_name(n.operands[0]), region_.memory_name(n.operands[4]),
                    region_.memory_name(n.operands[3]), row_, region_.columns(n.operands[4]),
                    region_.memory_name(n.operands[2]), row_, pointer(n.operands[1]), count, count));
}

void emit_row_kernel(const Region& region, SourceText& out, std::set<std::string>& headers) {
    headers.insert("share.h");
    std::optional<Dim> rows;
    const auto agree = [&](Dim d) {
        if (rows && *rows != d) region.unsupported("its results have different numbers of rows");
        rows = d;
    };
    for (const Node& n : region.body.nodes)
        if (n.op == Op::kv_append) agree(region.rows(n.operands[1]));
    for (const ValueId v : region.body.results) {
        if (region.is_param(v)) region.unsupported("a result is an operand as it is");
        if (region.result_index(v)) agree(region.rows(v));
    }
    if (!rows) region.unsupported("it computes nothing");
    out.line(fmt::format("const Share mine = share({}, int(c->thread), int(c->threads));",
                         region.rows_text(*rows)));
    out.open("for (int row = mine.begin; row < mine.end; ++row) {");
    RowEmitter emitter(region, out, headers, "row");
    for (const Node& n : region.body.nodes) {
        if (n.op == Op::kv_append) emitter.append(n);
        for (const ValueId v : n.results)
            if (region.result_index(v)) emitter.compute(v);
    }
    out.close();
}

} // namespace ingot::codegen
