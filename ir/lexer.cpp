#include "ir/lexer.h"

#include <charconv>
#include <cmath>
#include <limits>

#include <fmt/format.h>

#include "ir/error.h"
#include "ir/text_form.h"

namespace ingot::ir {

void Lexer::fail(size_t line, size_t column, const std::string& message) const {
    throw Error(fmt::format("{}:{}:{}", source_name_, line, column), message);
}

void Lexer::advance() {
    if (text_[at_++] == '\n') {
        ++line_;
        column_ = 1;
    } else {
        ++column_;
    }
}

void Lexer::skip_space() {
    while (at_ < text_.size()) {
        const char c = text_[at_];
        if (c == '/' && peek(1) == '/') {
            while (at_ < text_.size() && text_[at_] != '\n')
                advance();
        } else if (c == ' ' || c == '\n' || c == '\t' || c == '\r') {
            advance();
        } else {
            return;
        }
    }
}

Token Lexer::next() {
    skip_space();
    Token token;
    token.line = line_;
    token.column = column_;
    if (at_ == text_.size()) return token;
    const char c = text_[at_];
    if (is_word_start(c)) {
        token.kind = TokenKind::word;
        while (at_ < text_.size() && is_word_part(text_[at_])) {
            token.text += text_[at_];
            advance();
        }
    } else if (c == '"') {
        read_string(token);
    } else if (is_digit(c) || c == '-') {
        read_number(token);
    } else if (c == '%') {
        advance();
        if (!is_digit(peek())) fail(line_, column_, "a value is written %0, %1, ...");
        read_number(token);
        if (token.kind != TokenKind::integer || token.integer >= std::numeric_limits<uint32_t>::max())
            fail(token.line, token.column, "this is not a value's number");
        token.kind = TokenKind::value;
    } else {
        token.kind = TokenKind::symbol;
        token.text = c;
        if (c == '.' && peek(1) == '.') {
            token.text = "..";
            advance();
        } else if (std::string_view("(){}[],:=").find(c) == std::string_view::npos) {
            fail(line_, column_,
                 fmt::format("the byte 0x{:02x} can't stand here", static_cast<unsigned char>(c)));
        }
        advance();
    }
    return token;
}

unsigned Lexer::read_hex_digit() {
    const char c = peek();
    unsigned digit = 0;
    if (is_digit(c))
        digit = static_cast<unsigned>(c - '0');
    else if (c >= 'a' && c <= 'f')
        digit = static_cast<unsigned>(c - 'a') + 10;
    else
        fail(line_, column_, "\\x needs two digits, 0-9 or a-f");
    advance();
    return digit;
}

void Lexer::read_string(Token& token) {
    token.kind = TokenKind::string;
    advance();
    for (;;) {
        if (at_ == text_.size() || text_[at_] == '\n')
            fail(token.line, token.column, "the string does not end");
        const char c = text_[at_];
        if (c == '\\') {
            advance();
            const char escape = peek();
            if (escape != '"' && escape != '\\' && escape != 'n' && escape != 'x')
                fail(line_, column_, "an escape is one of \\\" \\\\ \\n \\xHH");
            advance();
            if (escape == 'x') {
                const unsigned high = read_hex_digit();
                token.text += static_cast<char>(high << 4 | read_hex_digit());
            } else {
                token.text += escape == 'n' ? '\n' : escape;
            }
            continue;
        }
        advance();
        if (c == '"') return;
        token.text += c;
    }
}

void Lexer::read_number(Token& token) {
    const size_t begin = at_;
    bool real = false;
    if (peek() == '-') advance();
    if (text_.substr(at_, 3) == "inf" && !is_word_part(peek(3))) {
        at_ += 3;
        column_ += 3;
        token.kind = TokenKind::real;
        token.real = -std::numeric_limits<double>::infinity();
        return;
    }
    if (!is_digit(peek())) fail(line_, column_, "a number is expected after '-'");
    const auto digits = [&] {
        while (is_digit(peek()))
            advance();
    };
    digits();
    if (peek() == '.' && is_digit(peek(1))) {
        real = true;
        advance();
        digits();
    }
    if (peek() == 'e' && (is_digit(peek(1)) || ((peek(1) == '-' || peek(1) == '+') && is_digit(peek(2))))) {
        real = true;
        advance();
        advance();
        digits();
    }
    if (is_word_part(peek())) fail(line_, column_, "a number ends here and a name starts");
    const char* first = text_.data() + begin;
    const char* last = text_.data() + at_;
    const std::errc error =
        real ? std::from_chars(first, last, token.real).ec : std::from_chars(first, last, token.integer).ec;
    if (error != std::errc{}) fail(token.line, token.column, "the number is out of range");
    token.kind = real ? TokenKind::real : TokenKind::integer;
    token.text = text_.substr(begin, at_ - begin);
}

} // namespace ingot::ir
