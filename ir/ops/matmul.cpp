#include "ir/ops/structured.h"

#include <array>

#include <fmt/format.h>

namespace ingot::ir {
namespace {

Type result(const Rule& rule) {
    rule.plain(0, rule.operands[0].element == Element::q8a ? Element::q8a : Element::f32, 2);
    const Type& weight = rule.weight(1);
    if (rule.columns(0) != rule.columns(1))
        rule.fail(fmt::format("x has {} columns, weight has {}", rule.columns(0), rule.columns(1)));
    return {.element = Element::f32, .dims = {rule.operands[0].dims[0], weight.dims[0]}};
}

// Eight partial sums, so that the compiler may use vectors without changing the order of additions.
double dot(const double* a, const double* b, size_t count) {
    std::array<double, 8> sums{};
    size_t i = 0;
    for (; i + 8 <= count; i += 8)
        for (size_t j = 0; j < 8; ++j)
            sums[j] += a[i + j] * b[i + j];
    for (; i < count; ++i)
        sums[0] += a[i] * b[i];
    return ((sums[0] + sums[4]) + (sums[1] + sums[5])) + ((sums[2] + sums[6]) + (sums[3] + sums[7]));
}

Datum evaluate(Call& call) {
    const Numbers x = numbers_of(call.args[0]);
    const Datum& weight = call.args[1];
    const auto rows = static_cast<size_t>(weight.dims[0]), columns = static_cast<size_t>(weight.dims[1]);
    const size_t tokens = x->size() / columns;
    std::vector<double> out(tokens * rows);
    in_parallel(rows, (tokens + 4) * columns, [&](size_t begin, size_t end) {
        std::vector<float> scratch(columns);
        std::vector<double> row(columns);
        for (size_t n = begin; n < end; ++n) {
            read_row(weight, static_cast<int64_t>(n), scratch, row);
            for (size_t t = 0; t < tokens; ++t)
                out[t * rows + n] = dot(x->data() + t * columns, row.data(), columns);
        }
    });
    return make_datum(call.dims, std::move(out));
}

} // namespace

extern constinit const StructuredOp matmul_op{.result = result, .check = nullptr, .evaluate = evaluate};

} // namespace ingot::ir
