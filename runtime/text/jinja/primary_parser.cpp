// The operands of expressions: literals, variables, brackets, and what may follow them: members, subscripts,
// calls.
#include "runtime/text/jinja/builtin.h"
#include "runtime/text/jinja/expression_parser.h"
#include "runtime/text/printable.h"

#include <algorithm>
#include <charconv>

#include <fmt/format.h>

namespace ingot::runtime::jinja {
namespace {

bool is_loop_attribute(std::string_view name) {
    static constexpr std::string_view names[] = {"index",  "index0",   "revindex", "revindex0",
                                                 "first",  "last",     "length",   "depth",
                                                 "depth0", "previtem", "nextitem"};
    return std::ranges::find(names, name) != std::end(names);
}

} // namespace

ExprPtr ExpressionParser::primary() {
    const Token& token = tokens_.peek();
    switch (token.kind) {
    case TokenKind::name:
        return variable();
    case TokenKind::string:
        return string();
    case TokenKind::integer: {
        std::int64_t number = 0;
        const auto error =
            std::from_chars(token.text.data(), token.text.data() + token.text.size(), number).ec;
        if (error != std::errc()) tokens_.fail(Code::unsupported, token.at, "an integer beyond 64 bits");
        return make(tokens_.take().at, Literal{number});
    }
    case TokenKind::real: {
        double number = 0;
        const auto error =
            std::from_chars(token.text.data(), token.text.data() + token.text.size(), number).ec;
        if (error != std::errc())
            tokens_.fail(Code::unsupported, token.at, "a number beyond the range of double");
        return make(tokens_.take().at, Literal{number});
    }
    default:
        break;
    }
    if (tokens_.is_op("(")) return parentheses();
    if (tokens_.is_op("[")) return list();
    if (tokens_.is_op("{")) return dict();
    tokens_.fail_here("an expression");
}

ExprPtr ExpressionParser::variable() {
    const std::size_t at = tokens_.at();
    if (tokens_.skip_word("true") || tokens_.skip_word("True")) return make(at, Literal{true});
    if (tokens_.skip_word("false") || tokens_.skip_word("False")) return make(at, Literal{false});
    if (tokens_.skip_word("none") || tokens_.skip_word("None")) return make(at, Literal{None{}});
    if (is_reserved(tokens_.peek().text)) tokens_.fail_here("an expression");
    const std::string name = tokens_.take().text;
    if (in_macro && (name == "varargs" || name == "kwargs" || name == "caller"))
        tokens_.fail(Code::unsupported, at, fmt::format("'{}' in a macro is not supported", name));
    return make(at, Variable{.name = name_id(name), .function = find_function(name)});
}

// Literals side by side are one.
ExprPtr ExpressionParser::string() {
    const std::size_t at = tokens_.at();
    std::string text;
    while (tokens_.is(TokenKind::string))
        text += tokens_.take().text;
    return make(at, Literal{Value::text(MarkedText(std::move(text), true))});
}

ExprPtr ExpressionParser::parentheses() {
    const std::size_t at = tokens_.take().at;
    if (tokens_.skip_op(")")) return make(at, ListDisplay{.is_tuple = true});
    ExprPtr inside = tuple();
    tokens_.expect_op(")");
    return inside;
}

ExprPtr ExpressionParser::list() {
    const std::size_t at = tokens_.take().at;
    ListDisplay display;
    while (!tokens_.is_op("]")) {
        display.items.push_back(expression());
        if (!tokens_.skip_op(",")) break;
    }
    tokens_.expect_op("]");
    return make(at, std::move(display));
}

ExprPtr ExpressionParser::dict() {
    const std::size_t at = tokens_.take().at;
    DictDisplay display;
    while (!tokens_.is_op("}")) {
        ExprPtr key = expression();
        tokens_.expect_op(":");
        display.entries.emplace_back(std::move(key), expression());
        if (!tokens_.skip_op(",")) break;
    }
    tokens_.expect_op("}");
    return make(at, std::move(display));
}

ExprPtr ExpressionParser::postfix(ExprPtr subject) {
    while (true) {
        if (tokens_.is_op(".")) {
            subject = member(std::move(subject));
        } else if (tokens_.is_op("[")) {
            subject = subscript(std::move(subject));
        } else if (tokens_.is_op("(")) {
            subject = call(std::move(subject));
        } else {
            return subject;
        }
    }
}

// .name, .0 or .method(...)
ExprPtr ExpressionParser::member(ExprPtr object) {
    tokens_.take();
    const std::size_t at = tokens_.at();
    if (tokens_.is(TokenKind::integer)) {
        ExprPtr index = primary();
        return make(at, Subscript{.object = std::move(object), .index = std::move(index)});
    }
    const std::string name = tokens_.expect(TokenKind::name, "an attribute's name").text;
    if (tokens_.is_op("(")) {
        const Builtin* method = find_text_method(name);
        if (method == nullptr) method = find_dict_method(name);
        if (method == nullptr)
            tokens_.fail(Code::unsupported, at, fmt::format("the method {} is not known", printable(name)));
        return builtin_call(*method, std::move(object), call_arguments(), at);
    }
    const auto* variable = std::get_if<Variable>(&object->node);
    if (variable != nullptr && names[variable->name] == "loop" && !is_loop_attribute(name))
        tokens_.fail(Code::unsupported, at, fmt::format("'loop' has no attribute {}", printable(name)));
    return make(at, Attribute{.object = std::move(object), .name = name});
}

ExprPtr ExpressionParser::subscript(ExprPtr object) {
    const std::size_t at = tokens_.take().at;
    ExprPtr bounds[3];
    std::size_t colons = 0;
    while (true) {
        const bool ends = tokens_.is_op(":") || tokens_.is_op("]");
        if (!ends) bounds[colons] = expression();
        if (colons == 2 || !tokens_.skip_op(":")) break;
        ++colons;
    }
    if (tokens_.is_op(","))
        tokens_.fail(Code::unsupported, tokens_.at(), "more than one index in a subscript");
    tokens_.expect_op("]");
    if (colons == 0 && bounds[0] == nullptr) tokens_.fail(Code::bad_file, at, "a subscript without an index");
    if (colons == 0) return make(at, Subscript{.object = std::move(object), .index = std::move(bounds[0])});
    return make(at, Slice{.object = std::move(object),
                          .start = std::move(bounds[0]),
                          .stop = std::move(bounds[1]),
                          .step = std::move(bounds[2])});
}

ExprPtr ExpressionParser::call(ExprPtr called) {
    const std::size_t at = tokens_.at();
    const auto* variable = std::get_if<Variable>(&called->node);
    if (variable == nullptr)
        tokens_.fail(Code::unsupported, at,
                     "only functions, methods and macros can be called, by their names");
    CallArguments given = call_arguments();
    if (variable->function != nullptr)
        return builtin_call(*variable->function, nullptr, std::move(given), called->at);
    macro_calls.emplace_back(variable->name, called->at);
    MacroCall macro{.name = variable->name, .arguments = std::move(given.positional)};
    for (auto& [name, value] : given.named)
        macro.named.emplace_back(name_id(name), std::move(value));
    return make(called->at, std::move(macro));
}

CallArguments ExpressionParser::call_arguments() {
    tokens_.expect_op("(");
    CallArguments given;
    while (!tokens_.is_op(")")) {
        if (tokens_.is_op("*") || tokens_.is_op("**"))
            tokens_.fail(Code::unsupported, tokens_.at(), "arguments by * or ** are not supported");
        if (tokens_.is(TokenKind::name) && tokens_.is_op("=", 1)) {
            std::string name = tokens_.take().text;
            tokens_.take();
            given.named.emplace_back(std::move(name), expression());
        } else {
            if (!given.named.empty())
                tokens_.fail(Code::bad_file, tokens_.at(), "an argument after named ones");
            given.positional.push_back(expression());
        }
        if (!tokens_.skip_op(",")) break;
    }
    tokens_.expect_op(")");
    return given;
}

} // namespace ingot::runtime::jinja
