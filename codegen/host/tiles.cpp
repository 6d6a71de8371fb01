#include "codegen/host/tiles.h"

#include <algorithm>

#include <fmt/format.h>

#include "codegen/host/rows.h"

namespace ingot::codegen {

using namespace ir;

std::string TileEmitter::at(int64_t shift) const {
    return shift == 0 ? tile_.column : fmt::format("{} + {}", tile_.column, shift);
}

std::string TileEmitter::from_memory(ValueId v, int64_t shift, int64_t width) {
    headers_.insert("pointwise.h");
    if (region_.type(v).element != Element::f32) region_.unsupported("an operand after a product is not f32");
    const std::string row = region_.row_pointer(v, "token");
    if (region_.columns(v) == 1 && width != 1) return fmt::format("splat(*{})", row);
    return fmt::format("load_lanes({} + {}, {})", row, at(shift), tile_.valid);
}

std::string TileEmitter::value(ValueId v, int64_t shift) {
    std::string& known = done_[{v, shift}]; // stays where it is while others are added
    if (!known.empty()) return known;
    const Node& n = *region_.producer(v);
    if (n.op == Op::matmul) {
        const auto at = tile_.registers.find({.product = region_.body.values[v].producer, .begin = shift});
        if (at == tile_.registers.end())
            region_.unsupported(n, "a value is computed from columns of several places");
        return known = at->second;
    }
    if (n.op == Op::slice_cols) return known = value(n.operands[0], shift + int_attr(n, "begin"));
    const std::string name = fmt::format("v{}_{}{}", v, shift, tile_.suffix);
    if (n.op == Op::rope) {
        out_.line(fmt::format("const f32x16 {} = {};", name, rope(n, shift)));
        return known = name;
    }
    if (!is_pointwise(n.op)) region_.unsupported(n, "its result is used inside the kernel that computes it");
    headers_.insert("pointwise.h");
    std::string formals, actuals;
    for (size_t i = 0; i < n.operands.size(); ++i) {
        const ValueId x = n.operands[i];
        const std::string comma = i == 0 ? "" : ", ";
        formals += fmt::format("{}f32x16 {}", comma, info(n.op).operands[i]);
        actuals += comma + (roots_.contains(x) ? value(x, shift) : from_memory(x, shift, region_.columns(v)));
    }
    out_.line(fmt::format("const f32x16 {} = []({}) {{ return {}; }}({});", name, formals,
                          info(n.op).expression, actuals));
    return known = name;
}

std::string TileEmitter::rope(const Node& n, int64_t shift) {
    headers_.insert("rope_channels.h");
    if (roots_.contains(n.operands[1])) region_.unsupported(n, "its angles are computed from a product");
    const std::string x = value(n.operands[0], shift), angles = region_.row_pointer(n.operands[1], "token");
    const int64_t head_dim = int_attr(n, "head_dim");
    if (tile_.aligned && shift % 16 == 0 && head_dim % 16 == 0)
        return fmt::format("rotate_pairs({}, {} + ({}) % {})", x, angles, at(shift), head_dim);
    return fmt::format("rotate_channels<{}>({}, {}, {})", head_dim, x, angles, at(shift));
}

void TileEmitter::consume(const Sink& sink) {
    const Node& n = region_.body.nodes[sink.node];
    if (sink.kind == Sink::Kind::square_sums)
        region_.unsupported(n, "host kernels normalise whole rows; leave out the pass defer-norms");
    const std::string y = value(sink.value);
    if (sink.kind == Sink::Kind::store) {
        headers_.insert("pointwise.h");
        out_.line(fmt::format("store_lanes({} + {}, {}, {});", region_.row_pointer(sink.value, "token"),
                              tile_.column, y, tile_.valid));
    } else if (sink.kind == Sink::Kind::append) {
        headers_.insert("kv_cache.h");
        const Type& cache = region_.type(n.operands[0]);
        out_.line(fmt::format("{}<{}>({}, {} + u64(u32({}[token])) * {}, {}[token], {}, {}, {});",
                              append_function(region_, n, cache), cache_arguments(region_, n, cache),
                              region_.memory_name(n.operands[0]), region_.memory_name(n.operands[4]),
                              region_.memory_name(n.operands[3]), region_.columns(n.operands[4]),
                              region_.memory_name(n.operands[2]), tile_.column, y, tile_.valid));
    } else if (sink.kind == Sink::Kind::argmax) {
        out_.line(fmt::format("best{}[token].fold({}, {}, {});", sink.node, y, tile_.column, tile_.valid));
    }
}

} // namespace ingot::codegen
