#include "ir/ops/structured.h"

#include <cmath>

#include <fmt/format.h>

namespace ingot::ir {
namespace {

Type result(const Rule& rule) {
    const Type& positions = rule.plain(0, Element::i32, 1);
    rule.plain(1, Element::f32, 1);
    const int64_t head_dim = rule.integer("head_dim");
    if (head_dim < 2 || head_dim % 2 != 0)
        rule.fail(fmt::format("head_dim is {}; it must be even", head_dim));
    if (rule.columns(1) > head_dim / 2)
        rule.fail(fmt::format("inv_freq has {} pairs, a head has {}", rule.columns(1), head_dim / 2));
    return {.element = Element::f32, .dims = {positions.dims[0], head_dim}};
}

Datum evaluate(Call& call) {
    const std::vector<int32_t> positions = ints_of(call.args[0]);
    const Numbers inv_freq = numbers_of(call.args[1]);
    const auto head_dim = static_cast<size_t>(int_attr(call.node, "head_dim"));
    std::vector<double> out(positions.size() * head_dim);
    for (size_t t = 0; t < positions.size(); ++t)
        for (size_t pair = 0; pair < head_dim / 2; ++pair) {
            const double angle = pair < inv_freq->size() ? positions[t] * (*inv_freq)[pair] : 0.0;
            out[t * head_dim + 2 * pair] = std::cos(angle);
            out[t * head_dim + 2 * pair + 1] = std::sin(angle);
        }
    return make_datum(call.dims, std::move(out));
}

} // namespace

extern constinit const StructuredOp rope_angles_op{.result = result, .check = nullptr, .evaluate = evaluate};

} // namespace ingot::ir
