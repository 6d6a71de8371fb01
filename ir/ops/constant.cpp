#include "ir/ops/structured.h"

#include <cmath>

#include <fmt/format.h>

namespace ingot::ir {
namespace {

bool fits_i32(double v) {
    return v == std::trunc(v) && v >= -2147483648.0 && v <= 2147483647.0;
}

void check(const Rule& rule, std::span<const Type> results) {
    if (results.size() != 1) rule.fail("it has one result");
    const Type& t = results[0];
    if (t.element != Element::f32 && t.element != Element::i32) rule.fail("its element must be f32 or i32");
    if (t.pool != Pool::weights || t.layout != Layout::rows)
        rule.fail("its result must be in weights, in rows");
    const auto& values = std::get<std::vector<double>>(rule.attrs[0].value);
    uint64_t count = 1;
    for (const Dim d : t.dims) {
        if (d.is_symbol()) rule.fail("its dims must be constants");
        if (__builtin_mul_overflow(count, static_cast<uint64_t>(d.constant()), &count))
            rule.fail("it is too large");
    }
    if (count != values.size())
        rule.fail(fmt::format("its dims say {} values, it has {}", count, values.size()));
    for (const double v : values)
        if (t.element == Element::i32 && !fits_i32(v)) rule.fail(fmt::format("{} is not an i32", v));
}

Datum evaluate(Call& call) {
    const std::vector<double>& values = floats_attr(call.node, "values");
    if (call.graph.type(call.node.results[0]).element == Element::f32) return make_datum(call.dims, values);
    return make_datum(Tensor::from_ints(call.dims, std::vector<int32_t>(values.begin(), values.end())));
}

} // namespace

extern constinit const StructuredOp constant_op{.result = nullptr, .check = check, .evaluate = evaluate};

} // namespace ingot::ir
