#include "ir/ops/structured.h"

#include <fmt/format.h>

namespace ingot::ir {
namespace {

Type result(const Rule& rule) {
    const Type& x = rule.plain(0, Element::f32, 2);
    const int64_t begin = rule.integer("begin"), end = rule.integer("end");
    if (begin < 0 || begin >= end || end > rule.columns(0))
        rule.fail(fmt::format("columns {}..{} are not in x of {}", begin, end, rule.columns(0)));
    return {.element = Element::f32, .dims = {x.dims[0], end - begin}};
}

Datum evaluate(Call& call) {
    const Numbers x = numbers_of(call.args[0]);
    const int64_t columns = call.args[0].dims[1];
    const int64_t begin = int_attr(call.node, "begin"), end = int_attr(call.node, "end");
    std::vector<double> out;
    for (auto row = x->begin(); row != x->end(); row += columns)
        out.insert(out.end(), row + begin, row + end);
    return make_datum(call.dims, std::move(out));
}

} // namespace

extern constinit const StructuredOp slice_cols_op{.result = result, .check = nullptr, .evaluate = evaluate};

} // namespace ingot::ir
