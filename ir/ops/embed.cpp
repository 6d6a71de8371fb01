#include "ir/ops/structured.h"

#include <algorithm>

#include <fmt/format.h>

namespace ingot::ir {
namespace {

Type result(const Rule& rule) {
    const Type& tokens = rule.plain(0, Element::i32, 1);
    const Type& table = rule.weight(1);
    return {.element = Element::f32, .dims = {tokens.dims[0], table.dims[1]}};
}

Datum evaluate(Call& call) {
    const std::vector<int32_t> tokens = ints_of(call.args[0]);
    const Datum& table = call.args[1];
    const int64_t vocabulary = table.dims[0];
    const auto columns = static_cast<size_t>(table.dims[1]);
    std::vector<double> out(tokens.size() * columns);
    std::vector<float> scratch(columns);
    for (size_t t = 0; t < tokens.size(); ++t) {
        if (tokens[t] < 0 || tokens[t] >= vocabulary)
            call.fail(fmt::format("token {} is {}; the table has {} rows", t, tokens[t], vocabulary));
        read_row(table, tokens[t], scratch, std::span(out).subspan(t * columns, columns));
    }
    return make_datum(call.dims, std::move(out));
}

} // namespace

extern constinit const StructuredOp embed_op{.result = result, .check = nullptr, .evaluate = evaluate};

} // namespace ingot::ir
