#include "ir/ops_doc.h"

#include <fmt/format.h>

#include "ir/op.h"

namespace ingot::ir {
namespace {

std::string cell(std::string_view text) {
    std::string out;
    for (const char c : text) {
        if (c == '|') out += '\\';
        out += c;
    }
    return out;
}

std::string_view kind_text(AttrKind k) {
    switch (k) {
    case AttrKind::integer:
        return "int";
    case AttrKind::real:
        return "float";
    case AttrKind::text:
        return "text";
    case AttrKind::reals:
        return "floats";
    case AttrKind::integers:
        return "ints";
    }
    return "";
}

std::string operands(const OpInfo& op) {
    std::string out;
    for (size_t i = 0; i < op.operands.size(); ++i) {
        const bool last = i + 1 == op.operands.size();
        out += fmt::format("{}{}", i == 0 ? "" : ", ", op.operands[i]);
        if (last && op.variadic)
            out += "…";
        else if (i >= op.required)
            out += "?";
    }
    return out;
}

std::string attrs(const OpInfo& op) {
    std::string out;
    for (const AttrInfo& a : op.attrs)
        out += fmt::format("{}`{}` {}", out.empty() ? "" : ", ", a.name, kind_text(a.kind));
    return out;
}

} // namespace

std::string op_table_markdown() {
    std::string out = "### Pointwise ops\n\n| op | expression | what it is |\n|---|---|---|\n";
    for (const OpInfo& op : all_ops())
        if (!op.expression.empty())
            out +=
                fmt::format("| `{}({})` | `{}` | {} |\n", op.name, operands(op), op.expression, cell(op.doc));
    out +=
        "\n### Structured ops\n\n| op | attributes | phases | effect | what it is |\n|---|---|---|---|---|\n";
    for (const OpInfo& op : all_ops())
        if (op.expression.empty())
            out +=
                fmt::format("| `{}({})` | {} | {} | {} | {} |\n", op.name, operands(op), attrs(op), op.phases,
                            op.effect == Effect::append ? "appends to its first operand" : "", cell(op.doc));
    return out;
}

} // namespace ingot::ir
