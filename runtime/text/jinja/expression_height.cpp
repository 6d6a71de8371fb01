#include "runtime/text/jinja/expression_height.h"

#include <algorithm>
#include <type_traits>

namespace ingot::runtime::jinja {
namespace {

class Highest {
  public:
    std::uint32_t height = 0;

    void operator()(const Literal&) {}
    void operator()(const Variable&) {}
    void operator()(const CapturedText&) {}
    void operator()(const ListDisplay& e) { see(e.items); }
    void operator()(const DictDisplay& e) { see_pairs(e.entries); }
    void operator()(const Attribute& e) { see(e.object); }
    void operator()(const Subscript& e) { see(e.object, e.index); }
    void operator()(const Slice& e) { see(e.object, e.start, e.stop, e.step); }
    void operator()(const Unary& e) { see(e.operand); }
    void operator()(const Binary& e) { see(e.left, e.right); }
    void operator()(const Comparison& e) { see(e.first), see_pairs(e.rest); }
    void operator()(const Concatenation& e) { see(e.parts); }
    void operator()(const Conditional& e) { see(e.test, e.value, e.otherwise); }
    void operator()(const BuiltinCall& e) {
        see(e.subject, e.arguments, e.inner_arguments), see_pairs(e.named);
    }
    void operator()(const MacroCall& e) { see(e.arguments), see_pairs(e.named); }

  private:
    void see(const ExprPtr& e) {
        if (e != nullptr) height = std::max(height, e->height);
    }
    void see(const Exprs& all) {
        for (const ExprPtr& e : all)
            see(e);
    }
    template <class... Operands>
        requires(sizeof...(Operands) > 1)
    void see(const Operands&... operands) {
        (see(operands), ...);
    }
    template <class First>
    void see_one(const First& first) {
        if constexpr (std::is_same_v<First, ExprPtr>) see(first);
    }
    template <class Pairs>
    void see_pairs(const Pairs& pairs) {
        for (const auto& [first, second] : pairs)
            see_one(first), see(second);
    }
};

} // namespace

std::uint32_t highest_operand(const decltype(Expr::node)& node) {
    Highest highest;
    std::visit(highest, node);
    return highest.height;
}

} // namespace ingot::runtime::jinja
