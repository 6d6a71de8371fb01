#include "ir/ops/structured.h"

#include <fmt/format.h>

#include "ir/print.h"

namespace ingot::ir {
namespace {

void check(const Rule& rule, std::span<const Type> results) {
    const Type& weight = rule.weight(0);
    if (weight.layout != Layout::rows) rule.fail(rule.show(0) + "; it is packed already");
    if (results.size() != 1) rule.fail("it has one result");
    Type expected = weight;
    expected.layout = results[0].layout;
    if (results[0] != expected)
        rule.fail(fmt::format("its result is {}, which differs from {} in more than the layout",
                              print(results[0], rule.symbols), print(weight, rule.symbols)));
    if (!is_packed(expected.layout))
        rule.fail(fmt::format("{} is not a packed layout", text(expected.layout)));
}

// Layouts don't change logical values.
Datum evaluate(Call& call) {
    return std::move(call.args[0]);
}

} // namespace

extern constinit const StructuredOp pack_op{.result = nullptr, .check = check, .evaluate = evaluate};

} // namespace ingot::ir
