// A parsed template. Nodes name their place in the source by byte offset, for messages.
#pragma once

#include "runtime/text/jinja/value.h"

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

namespace ingot::runtime::jinja {

// A variable's name, as an index into Template::names.
using NameId = std::uint32_t;

struct Expr;
using ExprPtr = std::unique_ptr<const Expr>;
using Exprs = std::vector<ExprPtr>;

struct Literal {
    Value value;
};
struct Variable {
    NameId name = 0;
    const Builtin* function = nullptr; // what it means while nothing is assigned to the name
};
struct ListDisplay {
    Exprs items;
    bool is_tuple = false;
};
struct DictDisplay {
    std::vector<std::pair<ExprPtr, ExprPtr>> entries;
};
struct Attribute { // object.name
    ExprPtr object;
    std::string name;
};
struct Subscript { // object[index]
    ExprPtr object;
    ExprPtr index;
};
struct Slice { // object[start:stop:step], null where absent
    ExprPtr object;
    ExprPtr start;
    ExprPtr stop;
    ExprPtr step;
};

enum class UnaryOp { negate, plus, logical_not };
struct Unary {
    UnaryOp op;
    ExprPtr operand;
};
enum class BinaryOp { add, subtract, multiply, divide, floor_divide, modulo, power, logical_and, logical_or };
struct Binary {
    BinaryOp op;
    ExprPtr left;
    ExprPtr right;
};
enum class CompareOp { equal, not_equal, less, less_equal, greater, greater_equal, in, not_in };
struct Comparison { // first op operand op operand ..., as in Python: a < b < c
    ExprPtr first;
    std::vector<std::pair<CompareOp, ExprPtr>> rest;
};
struct Concatenation { // a ~ b ~ c
    Exprs parts;
};
struct Conditional { // value if test else otherwise; null: undefined
    ExprPtr test;
    ExprPtr value;
    ExprPtr otherwise;
};

// A filter, test, method or function, with its arguments in the order of its parameters.
struct BuiltinCall {
    const Builtin* builtin;
    ExprPtr subject;                // what it is applied to; null for a function
    Exprs arguments;                // one a parameter, null where absent
    const Builtin* inner = nullptr; // the test or filter that it applies in its turn: select("odd")
    Exprs inner_arguments;
    std::vector<std::pair<std::string, ExprPtr>> named; // namespace(a=1)
};
struct MacroCall {
    NameId name;
    Exprs arguments;
    std::vector<std::pair<NameId, ExprPtr>> named;
};
struct CapturedText {}; // what a set block has rendered, where its filters start

struct Expr {
    std::uint32_t at = 0;
    std::uint32_t height = 1; // 1 + the highest operand's
    std::variant<Literal, Variable, ListDisplay, DictDisplay, Attribute, Subscript, Slice, Unary, Binary,
                 Comparison, Concatenation, Conditional, BuiltinCall, MacroCall, CapturedText>
        node;
};

// What is assigned to: one name, several that unpack a list, or a namespace's attribute.
struct Target {
    struct Item {
        NameId name;
        std::optional<std::string> attribute;
    };
    std::vector<Item> items;
    bool unpacks = false; // true for "a," too
};

struct Statement;
using Body = std::vector<Statement>;

struct Output {
    ExprPtr value; // literal text outside of tags is an Output too
};
struct If {
    std::vector<std::pair<ExprPtr, Body>> branches;
    Body otherwise;
};
struct For {
    Target target;
    ExprPtr iterable;
    ExprPtr condition; // null: all
    Body body;
    Body otherwise; // where there was nothing to go through
};
struct Set {
    Target target;
    ExprPtr value;
};
struct SetBlock {
    Target target;
    ExprPtr value; // filters applied to CapturedText, or just that
    Body body;
};
struct Macro {
    struct Parameter {
        NameId name;
        ExprPtr otherwise; // null: undefined
    };
    NameId name;
    std::vector<Parameter> parameters;
    Body body;
};
struct Break {};
struct Continue {};

struct Statement {
    std::uint32_t at = 0;
    std::variant<Output, If, For, Set, SetBlock, Macro, Break, Continue> node;
};

struct Template {
    std::string name;   // for messages
    std::string source; // as the lexer has it, that is with \n for every newline
    std::vector<std::string> names;
    Body body;
};

} // namespace ingot::runtime::jinja
