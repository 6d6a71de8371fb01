#include "ir/ops/structured.h"

#include <cmath>

#include <fmt/format.h>

namespace ingot::ir {
namespace {

Type result(const Rule& rule) {
    rule.plain(0, Element::f32, rule.operands[0].dims.size());
    rule.plain(1, Element::f32, 1);
    if (rule.columns(0) != rule.columns(1))
        rule.fail(fmt::format("x has {} columns, weight has {}", rule.columns(0), rule.columns(1)));
    const double eps = std::get<double>(rule.attrs[0].value);
    if (!(eps >= 0.0) || std::isinf(eps)) rule.fail("eps must be finite and not negative");
    return {.element = Element::f32, .dims = rule.operands[0].dims};
}

Datum evaluate(Call& call) {
    const Numbers x = numbers_of(call.args[0]), weight = numbers_of(call.args[1]);
    const size_t columns = weight->size();
    const double eps = float_attr(call.node, "eps");
    std::vector<double> out(x->size());
    for (size_t row = 0; row < out.size(); row += columns) {
        double squares = 0.0;
        for (size_t i = 0; i < columns; ++i)
            squares += (*x)[row + i] * (*x)[row + i];
        const double scale = 1.0 / std::sqrt(squares / static_cast<double>(columns) + eps);
        for (size_t i = 0; i < columns; ++i)
            out[row + i] = (*x)[row + i] * scale * (*weight)[i];
    }
    return make_datum(call.dims, std::move(out));
}

} // namespace

extern constinit const StructuredOp rms_norm_op{.result = result, .check = nullptr, .evaluate = evaluate};

} // namespace ingot::ir
