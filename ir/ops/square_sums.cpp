#include "ir/ops/structured.h"

namespace ingot::ir {
namespace {

constexpr int64_t block = 32;

Type result(const Rule& rule) {
    const Type& x = rule.plain(0, Element::f32, 2);
    return {.element = Element::f32, .dims = {x.dims[0], (rule.columns(0) + block - 1) / block}};
}

Datum evaluate(Call& call) {
    const Numbers x = numbers_of(call.args[0]);
    const int64_t columns = call.args[0].dims[1], blocks = call.dims[1];
    std::vector<double> out(static_cast<size_t>(call.dims[0] * blocks), 0.0);
    for (int64_t row = 0; row < call.dims[0]; ++row)
        for (int64_t c = 0; c < columns; ++c) {
            const double value = (*x)[static_cast<size_t>(row * columns + c)];
            out[static_cast<size_t>(row * blocks + c / block)] += value * value;
        }
    return make_datum(call.dims, std::move(out));
}

} // namespace

extern constinit const StructuredOp square_sums_op{.result = result, .check = nullptr, .evaluate = evaluate};

} // namespace ingot::ir
