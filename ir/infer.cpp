#include "ir/infer.h"

#include <fmt/format.h>

#include "ir/error.h"
#include "ir/ops/structured.h"
#include "ir/print.h"

namespace ingot::ir {
namespace {

// The dims that two shapes broadcast to, aligned at the last dim.
std::vector<Dim> broadcast(const Rule& rule, const std::vector<Dim>& a, size_t operand) {
    const std::vector<Dim>& b = rule.operands[operand].dims;
    const std::vector<Dim>& longer = a.size() >= b.size() ? a : b;
    const std::vector<Dim>& shorter = a.size() >= b.size() ? b : a;
    std::vector<Dim> dims = longer;
    for (size_t i = 0; i < shorter.size(); ++i) {
        Dim& d = dims[longer.size() - 1 - i];
        const Dim s = shorter[shorter.size() - 1 - i];
        if (d == Dim(1))
            d = s;
        else if (s != d && s != Dim(1))
            rule.fail(fmt::format("{} does not broadcast with {}", print(rule.operands[0], rule.symbols),
                                  print(rule.operands[operand], rule.symbols)));
    }
    return dims;
}

Type pointwise_result(const Rule& rule) {
    std::vector<Dim> dims;
    for (size_t i = 0; i < rule.operands.size(); ++i) {
        const Type& t = rule.operands[i];
        if (t.element != Element::f32 || t.layout != Layout::rows || t.dims.empty())
            rule.fail(fmt::format("{}; it must be f32 in rows", rule.show(i)));
        dims = i == 0 ? t.dims : broadcast(rule, dims, i);
    }
    return {.element = Element::f32, .dims = std::move(dims)};
}

constexpr std::string_view kind_name(AttrKind k) {
    switch (k) {
    case AttrKind::integer:
        return "an integer";
    case AttrKind::real:
        return "a real";
    case AttrKind::text:
        return "a text";
    case AttrKind::reals:
        return "a list of reals";
    case AttrKind::integers:
        return "a list of integers";
    }
    return "";
}

} // namespace

void check_signature(Op op, size_t operand_count, const std::vector<Attr>& attrs) {
    const OpInfo& row = info(op);
    const std::string name(row.name);
    if (operand_count < row.required || (!row.variadic && operand_count > row.operands.size())) {
        const std::string wanted = row.variadic ? fmt::format("at least {}", row.required)
                                   : row.required == row.operands.size()
                                       ? fmt::format("{}", row.required)
                                       : fmt::format("{} to {}", row.required, row.operands.size());
        throw Error(name, fmt::format("it has {} operands and takes {}", operand_count, wanted));
    }
    for (size_t i = 0; i < attrs.size() || i < row.attrs.size(); ++i) {
        if (i >= row.attrs.size()) throw Error(name, fmt::format("it has no attribute '{}'", attrs[i].name));
        const AttrInfo& wanted = row.attrs[i];
        if (i >= attrs.size() || attrs[i].name != wanted.name)
            throw Error(name, fmt::format("attribute {} must be '{}'{}", i + 1, wanted.name,
                                          i < attrs.size() ? fmt::format(", not '{}'", attrs[i].name) : ""));
        if (attrs[i].value.index() != static_cast<size_t>(wanted.kind))
            throw Error(name, fmt::format("attribute '{}' must be {}", wanted.name, kind_name(wanted.kind)));
    }
}

std::vector<Type> infer(Op op, const std::vector<Type>& operands, const std::vector<Attr>& attrs,
                        const std::vector<Symbol>& symbols) {
    check_signature(op, operands.size(), attrs);
    const Rule rule{.op = op, .operands = operands, .attrs = attrs, .symbols = symbols};
    for (size_t i = 0; i < operands.size(); ++i) {
        try {
            max_bytes(operands[i], symbols); // refuses dims that no rule could handle
        } catch (const Error& e) {
            rule.fail(fmt::format("{}: {}", rule.name(i), e.message()));
        }
    }
    if (is_pointwise(op)) return {pointwise_result(rule)};
    const StructuredOp& s = structured(op);
    if (s.result == nullptr) rule.fail("its results are given by the node");
    return {s.result(rule)};
}

void check_given_results(Op op, const std::vector<Type>& operands, const std::vector<Attr>& attrs,
                         const std::vector<Symbol>& symbols, const std::vector<Type>& results) {
    const Rule rule{.op = op, .operands = operands, .attrs = attrs, .symbols = symbols};
    structured(op).check(rule, results);
}

bool derives_results(Op op) {
    return is_pointwise(op) || structured(op).result != nullptr;
}

} // namespace ingot::ir
