#include "ir/ops/structured.h"

#include <cmath>

namespace ingot::ir {
namespace {

Type result(const Rule& rule) {
    const Type& sums = rule.plain(0, Element::f32, 2);
    const double eps = std::get<double>(rule.attrs[0].value);
    if (!(eps >= 0.0) || std::isinf(eps)) rule.fail("eps must be finite and not negative");
    if (rule.integer("columns") < 1) rule.fail("columns must be at least 1");
    return {.element = Element::f32, .dims = {sums.dims[0], 1}};
}

Datum evaluate(Call& call) {
    const Numbers sums = numbers_of(call.args[0]);
    const double eps = float_attr(call.node, "eps");
    const auto columns = static_cast<double>(int_attr(call.node, "columns"));
    const auto blocks = static_cast<size_t>(call.args[0].dims[1]);
    std::vector<double> out(static_cast<size_t>(call.dims[0]));
    for (size_t row = 0; row < out.size(); ++row) {
        double squares = 0.0;
        for (size_t b = 0; b < blocks; ++b)
            squares += (*sums)[row * blocks + b];
        out[row] = 1.0 / std::sqrt(squares / columns + eps);
    }
    return make_datum(call.dims, std::move(out));
}

} // namespace

extern constinit const StructuredOp norm_scale_op{.result = result, .check = nullptr, .evaluate = evaluate};

} // namespace ingot::ir
