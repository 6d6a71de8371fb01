#include "ir/ops/structured.h"

#include <algorithm>

#include <fmt/format.h>

namespace ingot::ir {
namespace {

Type result(const Rule& rule) {
    const Type& x = rule.plain(0, Element::f32, 2);
    const Type& ids = rule.plain(1, Element::i32, 1);
    return {.element = Element::f32, .dims = {ids.dims[0], x.dims[1]}};
}

Datum evaluate(Call& call) {
    const Numbers x = numbers_of(call.args[0]);
    const std::vector<int32_t> ids = ints_of(call.args[1]);
    const int64_t rows = call.args[0].dims[0], columns = call.args[0].dims[1];
    std::vector<double> out;
    out.reserve(ids.size() * static_cast<size_t>(columns));
    for (size_t i = 0; i < ids.size(); ++i) {
        if (ids[i] < 0 || ids[i] >= rows)
            call.fail(fmt::format("id {} is {}; x has {} rows", i, ids[i], rows));
        const auto begin = x->begin() + ids[i] * columns;
        out.insert(out.end(), begin, begin + columns);
    }
    return make_datum(call.dims, std::move(out));
}

} // namespace

extern constinit const StructuredOp gather_rows_op{.result = result, .check = nullptr, .evaluate = evaluate};

} // namespace ingot::ir
