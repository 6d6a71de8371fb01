#include "runtime/text/jinja/expression_parser.h"

#include "runtime/text/jinja/builtin.h"
#include "runtime/text/jinja/expression_height.h"
#include "runtime/text/printable.h"

#include <algorithm>

#include <fmt/format.h>

namespace ingot::runtime::jinja {
namespace {

// Parsing, evaluating and destroying go down by recursion; what people write stays below 20.
constexpr std::size_t most_levels = 100;
constexpr std::uint32_t most_height =
    200; // long chains such as a + b + c + ... are high without being nested

} // namespace

ExpressionParser::Level::Level(ExpressionParser& parser) : parser_(parser) {
    if (parser_.level_ == most_levels)
        parser_.tokens_.fail(Code::unsupported, parser_.tokens_.at(),
                             fmt::format("nested more than {} deep", most_levels));
    ++parser_.level_;
}

ExprPtr ExpressionParser::make(std::size_t at, decltype(Expr::node) node) const {
    const std::uint32_t height = 1 + highest_operand(node);
    if (height > most_height)
        tokens_.fail(Code::unsupported, at,
                     fmt::format("an expression of more than {} operators over each other", most_height));
    return std::make_unique<const Expr>(
        Expr{.at = static_cast<std::uint32_t>(at), .height = height, .node = std::move(node)});
}

NameId ExpressionParser::name_id(std::string_view name) {
    const auto found = ids_.find(name);
    if (found != ids_.end()) return found->second;
    const auto id = static_cast<NameId>(names.size());
    names.emplace_back(name);
    ids_.emplace(name, id);
    return id;
}

ExprPtr ExpressionParser::tuple(bool with_if) {
    const std::size_t at = tokens_.at();
    ListDisplay display{.is_tuple = true};
    bool has_comma = false;
    while (true) {
        const bool ends =
            tokens_.is(TokenKind::tag_end) || tokens_.is(TokenKind::print_end) || tokens_.is_op(")");
        if (ends && has_comma) break;
        display.items.push_back(with_if ? expression() : expression_without_if());
        if (!tokens_.skip_op(",")) break;
        has_comma = true;
    }
    if (!has_comma) return std::move(display.items.front());
    return make(at, std::move(display));
}

ExprPtr ExpressionParser::expression() {
    const Level level(*this);
    const std::size_t at = tokens_.at();
    ExprPtr value = logical_or();
    while (tokens_.skip_word("if")) {
        ExprPtr test = logical_or();
        ExprPtr otherwise = tokens_.skip_word("else") ? expression() : nullptr;
        value = make(at, Conditional{.test = std::move(test),
                                     .value = std::move(value),
                                     .otherwise = std::move(otherwise)});
    }
    return value;
}

ExprPtr ExpressionParser::expression_without_if() {
    const Level level(*this);
    return logical_or();
}

template <class Next>
ExprPtr
ExpressionParser::left_to_right(Next next,
                                std::initializer_list<std::pair<std::string_view, BinaryOp>> operators) {
    ExprPtr left = (this->*next)();
    while (tokens_.is(TokenKind::op) || tokens_.is(TokenKind::name)) {
        const auto* op =
            std::ranges::find(operators, tokens_.peek().text, [](const auto& row) { return row.first; });
        if (op == operators.end()) break;
        const std::size_t at = tokens_.take().at;
        ExprPtr right = (this->*next)();
        left = make(at, Binary{.op = op->second, .left = std::move(left), .right = std::move(right)});
    }
    return left;
}

ExprPtr ExpressionParser::logical_or() {
    return left_to_right(&ExpressionParser::logical_and, {{"or", BinaryOp::logical_or}});
}

ExprPtr ExpressionParser::logical_and() {
    return left_to_right(&ExpressionParser::logical_not, {{"and", BinaryOp::logical_and}});
}

ExprPtr ExpressionParser::logical_not() {
    const std::size_t at = tokens_.at();
    if (!tokens_.skip_word("not")) return comparison();
    const Level level(*this);
    return make(at, Unary{.op = UnaryOp::logical_not, .operand = logical_not()});
}

ExprPtr ExpressionParser::comparison() {
    static constexpr std::pair<std::string_view, CompareOp> operators[] = {
        {"==", CompareOp::equal},      {"!=", CompareOp::not_equal}, {"<", CompareOp::less},
        {"<=", CompareOp::less_equal}, {">", CompareOp::greater},    {">=", CompareOp::greater_equal},
        {"in", CompareOp::in}};
    const std::size_t at = tokens_.at();
    Comparison whole{.first = sum()};
    while (tokens_.is(TokenKind::op) || tokens_.is(TokenKind::name)) {
        const bool negated = tokens_.is_word("not") && tokens_.is_word("in", 1);
        const std::string_view symbol = negated ? "not in" : std::string_view(tokens_.peek().text);
        const auto* op = std::ranges::find(operators, symbol, [](const auto& row) { return row.first; });
        if (!negated && op == std::end(operators)) break;
        tokens_.take();
        if (negated) tokens_.take();
        whole.rest.emplace_back(negated ? CompareOp::not_in : op->second, sum());
    }
    if (whole.rest.empty()) return std::move(whole.first);
    return make(at, std::move(whole));
}

ExprPtr ExpressionParser::sum() {
    return left_to_right(&ExpressionParser::concatenation, {{"+", BinaryOp::add}, {"-", BinaryOp::subtract}});
}

ExprPtr ExpressionParser::concatenation() {
    const std::size_t at = tokens_.at();
    Concatenation whole;
    do {
        whole.parts.push_back(product());
    } while (tokens_.skip_op("~"));
    if (whole.parts.size() == 1) return std::move(whole.parts.front());
    return make(at, std::move(whole));
}

ExprPtr ExpressionParser::product() {
    return left_to_right(&ExpressionParser::power, {{"*", BinaryOp::multiply},
                                                    {"/", BinaryOp::divide},
                                                    {"//", BinaryOp::floor_divide},
                                                    {"%", BinaryOp::modulo}});
}

ExprPtr ExpressionParser::power() {
    const auto operand = [this] { return unary(true); };
    ExprPtr left = operand();
    while (tokens_.is_op("**")) {
        const std::size_t at = tokens_.take().at;
        ExprPtr right = operand();
        left = make(at, Binary{.op = BinaryOp::power, .left = std::move(left), .right = std::move(right)});
    }
    return left;
}

// In Jinja filters bind less than a sign, and what follows a bracket less too: -x|abs is (-x)|abs.
ExprPtr ExpressionParser::unary(bool with_filters) {
    const std::size_t at = tokens_.at();
    ExprPtr value;
    if (tokens_.is_op("-") || tokens_.is_op("+")) {
        const Level level(*this);
        const UnaryOp op = tokens_.take().text == "-" ? UnaryOp::negate : UnaryOp::plus;
        value = make(at, Unary{.op = op, .operand = unary(false)});
    } else {
        value = primary();
    }
    value = postfix(std::move(value));
    while (with_filters) {
        if (tokens_.is_op("|")) {
            value = filter(std::move(value));
        } else if (tokens_.is_word("is")) {
            value = test(std::move(value));
        } else if (tokens_.is_op("(")) {
            value = call(std::move(value));
        } else {
            break;
        }
    }
    return value;
}

ExprPtr ExpressionParser::builtin_call(const Builtin& builtin, ExprPtr subject, CallArguments given,
                                       std::size_t at) const {
    try {
        return make(at, bind_arguments(builtin, std::move(subject), std::move(given)));
    } catch (const Error& e) {
        if (!e.where().empty()) throw;
        tokens_.fail(e.code(), at, e.what());
    }
}

ExprPtr ExpressionParser::filters(ExprPtr subject) {
    while (tokens_.is_op("|"))
        subject = filter(std::move(subject));
    return subject;
}

ExprPtr ExpressionParser::filter(ExprPtr subject) {
    tokens_.take();
    const std::size_t at = tokens_.at();
    const std::string name = tokens_.expect(TokenKind::name, "a filter's name").text;
    const Builtin* builtin = find_filter(name);
    if (builtin == nullptr)
        tokens_.fail(Code::unsupported, at, fmt::format("the filter {} is not known", printable(name)));
    CallArguments given;
    if (tokens_.is_op("(")) given = call_arguments();
    return builtin_call(*builtin, std::move(subject), std::move(given), at);
}

// is [not] name, with arguments in parentheses or one without: is divisibleby 3.
ExprPtr ExpressionParser::test(ExprPtr subject) {
    tokens_.take();
    const bool negated = tokens_.skip_word("not");
    const std::size_t at = tokens_.at();
    const std::string name = tokens_.expect(TokenKind::name, "a test's name").text;
    const Builtin* builtin = find_test(name);
    if (builtin == nullptr)
        tokens_.fail(Code::unsupported, at, fmt::format("the test {} is not known", printable(name)));
    const bool is_operand = tokens_.is(TokenKind::string) || tokens_.is(TokenKind::integer) ||
                            tokens_.is(TokenKind::real) || tokens_.is_op("[") || tokens_.is_op("{") ||
                            (tokens_.is(TokenKind::name) && !tokens_.is_word("else") &&
                             !tokens_.is_word("or") && !tokens_.is_word("and"));
    CallArguments given;
    if (tokens_.is_op("(")) {
        given = call_arguments();
    } else if (is_operand) {
        given.positional.push_back(postfix(primary()));
    }
    ExprPtr result = builtin_call(*builtin, std::move(subject), std::move(given), at);
    if (negated) result = make(at, Unary{.op = UnaryOp::logical_not, .operand = std::move(result)});
    return result;
}

} // namespace ingot::runtime::jinja
