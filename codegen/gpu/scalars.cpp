#include "codegen/gpu/scalars.h"

#include <fmt/format.h>

#include "ir/row_tiles.h"

namespace ingot::codegen {

using namespace ir;

void ReadsAhead::begin_block(std::vector<std::string> lines) {
    blocks_.push_back(std::move(lines));
}

std::string ReadsAhead::add(std::string_view type, const std::string& expression) {
    const size_t block = blocks_.size() - 1;
    size_t i = 0;
    while (i < reads_.size() && (reads_[i].block != block || reads_[i].expression != expression))
        ++i;
    if (i == reads_.size()) reads_.push_back({std::string(type), expression, block});
    return fmt::format("in.m{}", i);
}

void ReadsAhead::declare(SourceText& out) const {
    out.open("struct Ahead {");
    for (size_t i = 0; i < reads_.size(); ++i)
        out.line(fmt::format("{} m{};", reads_[i].type, i));
    out.close("};");
}

void ReadsAhead::fill(SourceText& out) const {
    for (size_t b = 0; b < blocks_.size(); ++b) {
        out.open("{");
        for (const std::string& line : blocks_[b])
            out.line(line);
        for (size_t i = 0; i < reads_.size(); ++i)
            if (reads_[i].block == b) out.line(fmt::format("in.m{} = {};", i, reads_[i].expression));
        out.close();
    }
}

std::string row_of(const Region& region, ValueId v, const std::string& row) {
    std::string base = region.memory_name(v);
    if (region.constant(region.rows(v)) == 1) return base;
    return fmt::format("({} + u64(u32({})) * {})", base, row, region.columns(v));
}

std::string ScalarEmitter::at(int64_t shift) const {
    return shift == 0 ? place_.column : fmt::format("({} + {})", place_.column, shift);
}

std::string ScalarEmitter::from_memory(ValueId v, int64_t shift, int64_t width) const {
    if (region_.type(v).element != Element::f32) region_.unsupported("an operand is not f32");
    const std::string row = row_of(region_, v, place_.row);
    if (region_.columns(v) == 1 && width != 1) return place_.read("f32", fmt::format("*{}", row));
    return place_.read("f32", fmt::format("({} ? {}[{}] : 0.0f)", place_.active, row, at(shift)));
}

std::string ScalarEmitter::value(ValueId v, int64_t shift) {
    std::string& known = done_[{v, shift}]; // stays where it is while others are added
    if (!known.empty()) return known;
    if (auto leaf = leaf_(v, shift)) return known = *leaf;
    if (region_.is_param(v)) return known = from_memory(v, shift, region_.columns(v));
    const Node& n = *region_.producer(v);
    if (n.op == Op::slice_cols) return known = value(n.operands[0], shift + int_attr(n, "begin"));
    const std::string name = fmt::format("v{}_{}", v, shift);
    if (n.op == Op::rope) {
        const std::string x = value(n.operands[0], shift);
        const int64_t head_dim = int_attr(n, "head_dim");
        if (shift % 2 != 0) region_.unsupported(n, "its first column is an odd one");
        const std::string angles = row_of(region_, n.operands[1], place_.row),
                          pair = fmt::format("({} % {} & ~1)", at(shift), head_dim);
        const auto angle = [&](std::string_view offset) {
            return place_.read("f32",
                               fmt::format("({} ? {}[{}{}] : 0.0f)", place_.active, angles, pair, offset));
        };
        const std::string cosine = angle(""), sine = angle(" + 1");
        out_.line(fmt::format("const f32 {} = rotate({}, {}, {}, {});", name, x, cosine, sine, at(shift)));
        return known = name;
    }
    if (!is_pointwise(n.op)) region_.unsupported(n, "it can't stand there in a GPU kernel");
    std::string formals, actuals;
    for (size_t i = 0; i < n.operands.size(); ++i) {
        const ValueId x = n.operands[i];
        const std::string comma = i == 0 ? "" : ", ";
        formals += fmt::format("{}f32 {}", comma, info(n.op).operands[i]);
        actuals +=
            comma + (region_.is_param(x) && !leaf_(x, shift) ? from_memory(x, shift, region_.columns(v))
                                                             : value(x, shift));
    }
    out_.line(fmt::format("const f32 {} = []({}) {{ return {}; }}({});", name, formals, info(n.op).expression,
                          actuals));
    return known = name;
}

void emit_store(const Region& region, SourceText& out, ValueId v, const std::string& value,
                const LanePlace& place) {
    out.line(
        fmt::format("if ({}) {}[{}] = {};", place.active, row_of(region, v, place.row), place.column, value));
}

void emit_quantize(const Region& region, SourceText& out, const Node& n, const std::string& value,
                   const LanePlace& place) {
    const ValueId to = n.results[0];
    out.line(fmt::format("if ({}) store_quantized<{}, {}>({}, {}, {}, {});", place.active,
                         region.most(region.rows(to)), region.columns(to), region.memory_name(to), place.row,
                         place.column, value));
}

void emit_square_sums(const Region& region, SourceText& out, const Node& n, const std::string& value,
                      const LanePlace& place) {
    out.line(fmt::format("store_square_sum<{}>({}, {}, {}, {} ? {} : 0.0f);", region.columns(n.operands[0]),
                         region.memory_name(n.results[0]), place.row, place.column, place.active, value));
}

std::string gpu_cache_arguments(const Region& region, const Node& n, const Type& cache) {
    if (cache.element != Element::f16 && cache.element != Element::f32)
        region.unsupported(
            n, fmt::format("GPU kernels keep caches in f16 or f32, not {}", info(cache.element).text));
    for (size_t i = 1; i < 4; ++i)
        if (!region.constant(cache.dims[i])) region.unsupported(n, "the cache's dims must be constants");
    return fmt::format("{}, {}, {}, {}", cache.element == Element::f16 ? "F16Cache" : "F32Cache",
                       *region.constant(cache.dims[1]), *region.constant(cache.dims[3]),
                       *region.constant(cache.dims[2]));
}

void emit_append(const Region& region, SourceText& out, const Node& n, const std::string& value,
                 const LanePlace& place) {
    const Type& cache = region.type(n.operands[0]);
    if (cache.layout != Layout::kv_octets && cache.layout != Layout::rows)
        region.unsupported(n, fmt::format("GPU kernels have no caches in layout {}", text(cache.layout)));
    const auto memory = [&](size_t i) { return region.memory_name(n.operands[i]); };
    const std::string position = fmt::format("{}[{}]", memory(2), place.row),
                      page = fmt::format("{}[u64(u32({}[{}])) * {} + u32({}) / {}]", memory(4), memory(3),
                                         place.row, region.columns(n.operands[4]), position,
                                         *region.constant(cache.dims[2]));
    out.line(fmt::format("if ({}) {}<{}>({}, {}, {}, {}, {});", place.active,
                         cache.layout == Layout::rows ? "append_value" : "append_key",
                         gpu_cache_arguments(region, n, cache), memory(0), place.read("i32", page),
                         place.read("i32", position), place.column, value));
}

std::string row_tile_arguments(const Region& region, const Node& n, const Type& weight) {
    const auto cols = static_cast<uint64_t>(weight.dims[1].constant());
    return fmt::format("{}, {}, {}, {}", format_name(region, n, weight.element), cols,
                       row_tile_height(weight.element, cols), row_tile_bytes(weight.element, cols));
}

} // namespace ingot::codegen
