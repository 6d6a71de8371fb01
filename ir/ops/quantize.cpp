#include "ir/ops/structured.h"

namespace ingot::ir {
namespace {

Type result(const Rule& rule) {
    const Type& x = rule.plain(0, Element::f32, rule.operands[0].dims.size());
    if (rule.columns(0) % info(Element::q8a).block_elements != 0)
        rule.fail(rule.show(0) + "; its last dim must be whole blocks of 32");
    return {.element = Element::q8a, .dims = x.dims};
}

Datum evaluate(Call& call) {
    const Numbers x = numbers_of(call.args[0]);
    Tensor t = Tensor::zeros(Element::q8a, call.dims);
    *t.owned = quantize_q8a(std::vector<float>(x->begin(), x->end()));
    t.data = *t.owned;
    return make_datum(std::move(t));
}

} // namespace

extern constinit const StructuredOp quantize_op{.result = result, .check = nullptr, .evaluate = evaluate};

} // namespace ingot::ir
