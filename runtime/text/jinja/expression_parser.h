// Expressions, by the grammar of jinja2.parser (3.1).
#pragma once

#include "runtime/text/jinja/bind_arguments.h"
#include "runtime/text/jinja/syntax.h"
#include "runtime/text/jinja/token_stream.h"

#include <initializer_list>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace ingot::runtime::jinja {

class ExpressionParser {
  public:
    explicit ExpressionParser(TokenStream& tokens) : tokens_(tokens) {}

    ExprPtr expression();               // a if b else c
    ExprPtr expression_without_if();    // what for and if take, where `if` goes on with the statement
    ExprPtr tuple(bool with_if = true); // an expression, or several with commas between
    // Filters after `subject`: | a | b(c).
    ExprPtr filters(ExprPtr subject);

    ExprPtr make(std::size_t at, decltype(Expr::node) node) const;
    NameId name_id(std::string_view name);
    // Counts how deep brackets, operators and blocks lie in each other while it lives, and refuses too much.
    class Level {
      public:
        explicit Level(ExpressionParser& parser);
        ~Level() { --parser_.level_; }
        Level(const Level&) = delete;
        Level& operator=(const Level&) = delete;

      private:
        ExpressionParser& parser_;
    };

    // For the end of parsing: the names of all variables, and the macro calls with their places.
    std::vector<std::string> names;
    std::vector<std::pair<NameId, std::size_t>> macro_calls;
    bool in_macro = false; // where varargs, kwargs and caller have a meaning that is not supported

  private:
    ExprPtr logical_or();
    ExprPtr logical_and();
    ExprPtr logical_not();
    ExprPtr comparison();
    ExprPtr sum();
    ExprPtr concatenation();
    ExprPtr product();
    ExprPtr power();
    ExprPtr unary(bool with_filters);
    ExprPtr primary();
    ExprPtr string();
    ExprPtr parentheses();
    ExprPtr list();
    ExprPtr dict();
    ExprPtr postfix(ExprPtr subject);
    ExprPtr member(ExprPtr object);
    ExprPtr subscript(ExprPtr object);
    ExprPtr call(ExprPtr called);
    ExprPtr filter(ExprPtr subject);
    ExprPtr test(ExprPtr subject);
    ExprPtr variable();
    CallArguments call_arguments();

    template <class Next>
    ExprPtr left_to_right(Next next, std::initializer_list<std::pair<std::string_view, BinaryOp>> operators);
    ExprPtr builtin_call(const Builtin& builtin, ExprPtr subject, CallArguments given, std::size_t at) const;

    TokenStream& tokens_;
    std::map<std::string, NameId, std::less<>> ids_;
    std::size_t level_ = 0;
};

} // namespace ingot::runtime::jinja
