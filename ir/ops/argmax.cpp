#include "ir/ops/structured.h"

#include <cmath>

namespace ingot::ir {
namespace {

Type result(const Rule& rule) {
    return {.element = Element::i32, .dims = {rule.plain(0, Element::f32, 2).dims[0]}};
}

int32_t argmax_of(std::span<const double> row) {
    size_t best = 0;
    for (size_t i = 0; i < row.size(); ++i) {
        if (std::isnan(row[i])) return -1;
        if (row[i] > row[best]) best = i;
    }
    return static_cast<int32_t>(best);
}

Datum evaluate(Call& call) {
    const Numbers x = numbers_of(call.args[0]);
    const auto columns = static_cast<size_t>(call.args[0].dims[1]);
    std::vector<int32_t> out;
    for (size_t row = 0; row < x->size(); row += columns)
        out.push_back(argmax_of(std::span(*x).subspan(row, columns)));
    return make_datum(Tensor::from_ints(call.dims, out));
}

} // namespace

extern constinit const StructuredOp argmax_op{.result = result, .check = nullptr, .evaluate = evaluate};

} // namespace ingot::ir
