// What stands after `is`: the tests of jinja2.tests (3.1).
#include "runtime/error.h"
#include "runtime/text/jinja/arguments.h"
#include "runtime/text/jinja/builtin_table.h"
#include "runtime/text/jinja/operators.h"
#include "runtime/text/jinja/text_form.h"
#include "runtime/text/unicode.h"
#include "runtime/text/utf8.h"

namespace ingot::runtime::jinja {
namespace {

template <class... Kinds>
Value is_one_of(const Arguments& a) {
    return (a.subject.is<Kinds>() || ...);
}

Value defined(const Arguments& a) {
    return !a.subject.is<Undefined>();
}

template <bool wanted>
Value is_exactly(const Arguments& a) {
    const bool* b = a.subject.get<bool>();
    return b != nullptr && *b == wanted;
}

template <CompareOp op>
Value compares(const Arguments& a) {
    return compare(a.budget(), op, a.subject, a.values[0]);
}

Value divisible(const Arguments& a, const Value& by, std::int64_t rest) {
    const Value modulo = arithmetic(a.budget(), BinaryOp::modulo, a.subject, by);
    return equal(a.budget(), modulo, rest);
}

Value divisibleby(const Arguments& a) {
    return divisible(a, a.values[0], 0);
}

template <std::int64_t rest>
Value halves_to(const Arguments& a) {
    return divisible(a, std::int64_t{2}, rest);
}

// Has letters with case, and all of them have the one that is wanted.
template <bool (*wanted)(char32_t), bool (*other)(char32_t)>
Value has_case(const Arguments& a) {
    const Value text = to_text(a.budget(), a.subject);
    std::string_view rest = text.as_text()->bytes();
    a.budget().scan(4 * rest.size());
    bool found = false;
    while (!rest.empty()) {
        const Utf8Char c = decode_utf8(rest);
        if (other(c.code)) return false;
        found = found || wanted(c.code);
        rest.remove_prefix(c.length);
    }
    return found;
}

// The same object: of values that are alike only where they have one place for all of a kind.
Value sameas(const Arguments& a) {
    const Value& other = a.values[0];
    const bool alike = a.subject.data().index() == other.data().index();
    if (!a.subject.is<bool>() && !a.subject.is<None>() && alike)
        throw Error(Code::unsupported, "", "'sameas' compares only with true, false and none");
    return alike && equal(a.budget(), a.subject, other);
}

using Text = Value::Text;
using ListRef = Value::ListRef;
using DictRef = Value::DictRef;
using LoopRef = Value::LoopRef;

constexpr auto integer_test = is_one_of<std::int64_t>;
constexpr auto sequence_test = is_one_of<Undefined, Text, ListRef, DictRef>;
constexpr auto iterable_test = is_one_of<Undefined, Text, ListRef, DictRef, LoopRef>;

constexpr Builtin rows[] = {
    {.name = "boolean", .run = is_one_of<bool>},
    {.name = "callable", .run = is_one_of<const Macro*, const Builtin*, Undefined>},
    {.name = "defined", .run = defined},
    {.name = "divisibleby", .parameters = {"num"}, .required = 1, .run = divisibleby},
    {.name = "eq", .parameters = {"other"}, .required = 1, .run = compares<CompareOp::equal>},
    {.name = "equalto", .parameters = {"other"}, .required = 1, .run = compares<CompareOp::equal>},
    {.name = "==", .parameters = {"other"}, .required = 1, .run = compares<CompareOp::equal>},
    {.name = "even", .run = halves_to<0>},
    {.name = "false", .run = is_exactly<false>},
    {.name = "float", .run = is_one_of<double>},
    {.name = "ge", .parameters = {"other"}, .required = 1, .run = compares<CompareOp::greater_equal>},
    {.name = ">=", .parameters = {"other"}, .required = 1, .run = compares<CompareOp::greater_equal>},
    {.name = "greaterthan", .parameters = {"other"}, .required = 1, .run = compares<CompareOp::greater>},
    {.name = "gt", .parameters = {"other"}, .required = 1, .run = compares<CompareOp::greater>},
    {.name = ">", .parameters = {"other"}, .required = 1, .run = compares<CompareOp::greater>},
    {.name = "in", .parameters = {"seq"}, .required = 1, .run = compares<CompareOp::in>},
    {.name = "integer", .run = integer_test},
    {.name = "iterable", .run = iterable_test},
    {.name = "le", .parameters = {"other"}, .required = 1, .run = compares<CompareOp::less_equal>},
    {.name = "<=", .parameters = {"other"}, .required = 1, .run = compares<CompareOp::less_equal>},
    {.name = "lessthan", .parameters = {"other"}, .required = 1, .run = compares<CompareOp::less>},
    {.name = "lower", .run = has_case<is_lower, is_upper>},
    {.name = "lt", .parameters = {"other"}, .required = 1, .run = compares<CompareOp::less>},
    {.name = "<", .parameters = {"other"}, .required = 1, .run = compares<CompareOp::less>},
    {.name = "mapping", .run = is_one_of<DictRef>},
    {.name = "ne", .parameters = {"other"}, .required = 1, .run = compares<CompareOp::not_equal>},
    {.name = "!=", .parameters = {"other"}, .required = 1, .run = compares<CompareOp::not_equal>},
    {.name = "none", .run = is_one_of<None>},
    {.name = "number", .run = is_one_of<bool, std::int64_t, double>},
    {.name = "odd", .run = halves_to<1>},
    {.name = "sameas", .parameters = {"other"}, .required = 1, .run = sameas},
    {.name = "sequence", .run = sequence_test},
    {.name = "string", .run = is_one_of<Text>},
    {.name = "true", .run = is_exactly<true>},
    {.name = "undefined", .run = is_one_of<Undefined>},
    {.name = "upper", .run = has_case<is_upper, is_lower>},
};

} // namespace

const Builtin* find_test(std::string_view name) {
    return find_in(rows, name);
}

} // namespace ingot::runtime::jinja
