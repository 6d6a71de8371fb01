#include "ir/op.h"

#include <array>
#include <cmath>
#include <numbers>

namespace ingot::ir {
namespace {

// A row of ops.def with its lists taken apart, at compile time: a malformed row does not build.
struct Row {
    std::array<std::string_view, 8> operands{};
    size_t operand_count = 0;
    size_t required = 0;
    bool variadic = false;
    std::array<AttrInfo, 4> attrs{};
    size_t attr_count = 0;
};

constexpr AttrKind attr_kind(std::string_view t) {
    if (t == "int") return AttrKind::integer;
    if (t == "float") return AttrKind::real;
    if (t == "text") return AttrKind::text;
    if (t == "floats") return AttrKind::reals;
    if (t == "ints") return AttrKind::integers;
    throw "ops.def: an attribute of unknown kind";
}

constexpr std::string_view take_word(std::string_view& rest) {
    while (!rest.empty() && rest.front() == ' ')
        rest.remove_prefix(1);
    const size_t end = rest.find(' ') == std::string_view::npos ? rest.size() : rest.find(' ');
    const std::string_view word = rest.substr(0, end);
    rest.remove_prefix(end);
    return word;
}

constexpr Row parse_row(std::string_view operands, std::string_view attrs) {
    Row row;
    for (std::string_view word = take_word(operands); !word.empty(); word = take_word(operands)) {
        if (row.variadic) throw "ops.def: only the last operand may stand for any number";
        const bool optional = word.back() == '?';
        row.variadic = word.back() == '*';
        if (optional || row.variadic)
            word.remove_suffix(1);
        else if (row.required++ != row.operand_count)
            throw "ops.def: a required operand after an optional one";
        row.operands[row.operand_count++] = word;
    }
    for (std::string_view word = take_word(attrs); !word.empty(); word = take_word(attrs)) {
        const size_t colon = word.find(':');
        row.attrs[row.attr_count++] = {word.substr(0, colon), attr_kind(word.substr(colon + 1))};
    }
    return row;
}

constexpr std::array rows = {
#define POINTWISE(name, operands, expression, doc) parse_row(operands, ""),
#define STRUCTURED(name, operands, attributes, effect, phases, doc) parse_row(operands, attributes),
#include "ir/ops.def"
#undef POINTWISE
#undef STRUCTURED
};

constexpr OpInfo make_info(size_t index, std::string_view name, Effect effect, std::string_view phases,
                           std::string_view expression, std::string_view doc) {
    const Row& row = rows[index];
    return {.name = name,
            .operands = {row.operands.data(), row.operand_count},
            .required = row.required,
            .variadic = row.variadic,
            .attrs = {row.attrs.data(), row.attr_count},
            .effect = effect,
            .phases = phases,
            .expression = expression,
            .doc = doc};
}

constexpr size_t index_of(Op op) {
    return static_cast<size_t>(op);
}

constexpr std::array table = {
#define POINTWISE(name, operands, expression, doc)                                                           \
    make_info(index_of(Op::name), #name, Effect::none, "icb", #expression, doc),
#define STRUCTURED(name, operands, attributes, effect, phases, doc)                                          \
    make_info(index_of(Op::name), #name, Effect::effect, phases, "", doc),
#include "ir/ops.def"
#undef POINTWISE
#undef STRUCTURED
};

// The scalar functions that an expression may call, in double precision.
using std::exp;
using std::sqrt;
using std::tanh;
double sigmoid(double a) {
    return 1.0 / (1.0 + exp(-a));
}
double silu(double a) {
    return a / (1.0 + exp(-a));
}
double relu(double a) {
    return a < 0.0 ? 0.0 : a;
}
double gelu(double a) {
    const double inner = sqrt(2.0 / std::numbers::pi) * (a + 0.044715 * a * a * a);
    return 0.5 * a * (1.0 + tanh(inner));
}

} // namespace

const OpInfo& info(Op op) {
    return table[index_of(op)];
}

std::span<const OpInfo> all_ops() {
    return table;
}

std::optional<Op> op_from_text(std::string_view name) {
    for (size_t i = 0; i < table.size(); ++i)
        if (table[i].name == name) return static_cast<Op>(i);
    return std::nullopt;
}

double evaluate_pointwise(Op op, std::span<const double> args) {
    const double a = !args.empty() ? args[0] : 0.0;
    const double b = args.size() > 1 ? args[1] : 0.0;
    switch (op) {
#define POINTWISE(name, operands, expression, doc)                                                           \
    case Op::name:                                                                                           \
        return expression;
#define STRUCTURED(...)
#include "ir/ops.def"
#undef POINTWISE
#undef STRUCTURED
    default:
        return std::nan("");
    }
}

} // namespace ingot::ir
