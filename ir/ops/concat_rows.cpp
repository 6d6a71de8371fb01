#include "ir/ops/structured.h"

#include <cstring>

#include <fmt/format.h>

namespace ingot::ir {
namespace {

// Vectors (biases) are put one after the other by the same rule.
Type result(const Rule& rule) {
    if (rule.operands.empty()) rule.fail("it needs at least one weight");
    const Type& first = rule.operands[0];
    if (first.dims.size() > 2) rule.fail(rule.show(0) + "; it must have one dim or two");
    uint64_t rows = 0;
    for (size_t i = 0; i < rule.operands.size(); ++i) {
        const Type& t = rule.plain(i, first.element, first.dims.size());
        if (t.pool != Pool::weights) rule.fail(rule.show(i) + "; it must be in weights");
        if (t.dims.size() == 2) rule.same_dim(0, 1, i, 1);
        if (t.dims[0].is_symbol() || t.dims.back().is_symbol())
            rule.fail(rule.show(i) + "; its dims must be constants");
        rows += static_cast<uint64_t>(t.dims[0].constant());
        if (rows >> 62 != 0) rule.fail("the rows are too many");
    }
    // Joined vectors may end inside a block only if the element has none.
    if (first.dims.size() == 1 && is_quantized(first.element))
        rule.fail("vectors of blocks cannot be joined");
    Type joined = first;
    joined.dims[0] = static_cast<int64_t>(rows);
    return joined;
}

Datum evaluate(Call& call) {
    Tensor joined = Tensor::zeros(call.graph.type(call.node.results[0]).element, call.dims);
    size_t at = 0;
    for (const Datum& d : call.args) {
        if (d.numbers) { // a constant: f32
            for (const double v : *d.numbers) {
                const auto f = static_cast<float>(v);
                std::memcpy(joined.owned->data() + at, &f, sizeof f);
                at += sizeof f;
            }
            continue;
        }
        std::memcpy(joined.owned->data() + at, d.tensor.data.data(), d.tensor.data.size());
        at += d.tensor.data.size();
    }
    return make_datum(std::move(joined));
}

} // namespace

extern constinit const StructuredOp concat_rows_op{.result = result, .check = nullptr, .evaluate = evaluate};

} // namespace ingot::ir
