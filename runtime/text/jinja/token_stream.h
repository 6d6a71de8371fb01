// The tokens of a template as its parser reads them.
#pragma once

#include "runtime/error.h"
#include "runtime/text/jinja/lexer.h"

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace ingot::runtime::jinja {

class TokenStream {
  public:
    // `source` and `name` must outlive it.
    TokenStream(std::string_view source, std::string_view name);

    const Token& peek(std::size_t ahead = 0) const;
    Token take();
    std::uint32_t at() const { return peek().at; }

    bool is(TokenKind kind, std::size_t ahead = 0) const { return peek(ahead).kind == kind; }
    bool is_op(std::string_view op, std::size_t ahead = 0) const;
    bool is_word(std::string_view word, std::size_t ahead = 0) const;
    bool skip_op(std::string_view op);
    bool skip_word(std::string_view word);
    void expect_op(std::string_view op);
    // `what` is what should stand here, for the message.
    Token expect(TokenKind kind, std::string_view what);
    // A name that is neither a keyword nor a constant's.
    std::string expect_name();

    [[noreturn]] void fail(Code code, std::size_t at, const std::string& message) const;
    [[noreturn]] void fail_here(std::string_view expected) const;

  private:
    std::string_view source_;
    std::string_view name_;
    std::vector<Token> tokens_;
    std::size_t next_ = 0;
};

// Words that are no variable: operators, keywords inside tags, constants.
bool is_reserved(std::string_view word);

} // namespace ingot::runtime::jinja
