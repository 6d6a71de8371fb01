// Tokens of IR text.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace ingot::ir {

enum class TokenKind : uint8_t { word, string, integer, real, value, symbol, end };

struct Token {
    TokenKind kind = TokenKind::end;
    std::string text;    // of strings: the bytes they stand for; of values (%7): the digits
    int64_t integer = 0; // of integers and values
    double real = 0.0;   // of reals
    size_t line = 1, column = 1;
};

class Lexer {
  public:
    Lexer(std::string_view text, std::string_view source_name) : text_(text), source_name_(source_name) {}
    // The next token; `end` at the end of the text. Throws Error for bytes that are none.
    Token next();
    [[noreturn]] void fail(size_t line, size_t column, const std::string& message) const;

  private:
    char peek(size_t ahead = 0) const { return at_ + ahead < text_.size() ? text_[at_ + ahead] : '\0'; }
    void advance();
    void skip_space();
    void read_string(Token& token);
    void read_number(Token& token);
    unsigned read_hex_digit();

    std::string_view text_, source_name_;
    size_t at_ = 0, line_ = 1, column_ = 1;
};

} // namespace ingot::ir
