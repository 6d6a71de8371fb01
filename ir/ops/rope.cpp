#include "ir/ops/structured.h"

#include <fmt/format.h>

namespace ingot::ir {
namespace {

Type result(const Rule& rule) {
    const Type& x = rule.plain(0, Element::f32, 2);
    rule.plain(1, Element::f32, 2);
    rule.same_dim(0, 0, 1, 0);
    const int64_t head_dim = rule.integer("head_dim");
    if (head_dim < 2 || head_dim % 2 != 0)
        rule.fail(fmt::format("head_dim is {}; it must be even", head_dim));
    if (rule.columns(0) % head_dim != 0)
        rule.fail(fmt::format("x has {} columns, not whole heads of {}", rule.columns(0), head_dim));
    if (rule.columns(1) != head_dim)
        rule.fail(fmt::format("angles has {} columns, head_dim is {}", rule.columns(1), head_dim));
    return {.element = Element::f32, .dims = x.dims};
}

Datum evaluate(Call& call) {
    const Numbers x = numbers_of(call.args[0]), angles = numbers_of(call.args[1]);
    const auto head_dim = static_cast<size_t>(int_attr(call.node, "head_dim"));
    const auto columns = static_cast<size_t>(call.dims[1]);
    std::vector<double> out(x->size());
    for (size_t i = 0; i < out.size(); i += 2) {
        const double* angle = angles->data() + i / columns * head_dim + i % head_dim;
        const double a = (*x)[i], b = (*x)[i + 1];
        out[i] = a * angle[0] - b * angle[1];
        out[i + 1] = a * angle[1] + b * angle[0];
    }
    return make_datum(call.dims, std::move(out));
}

} // namespace

extern constinit const StructuredOp rope_op{.result = result, .check = nullptr, .evaluate = evaluate};

} // namespace ingot::ir
