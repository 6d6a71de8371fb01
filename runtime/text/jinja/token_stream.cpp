#include "runtime/text/jinja/token_stream.h"

#include "runtime/text/jinja/source_error.h"
#include "runtime/text/printable.h"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

namespace ingot::runtime::jinja {

TokenStream::TokenStream(std::string_view source, std::string_view name)
    : source_(source), name_(name), tokens_(tokenize(source, name)) {}

const Token& TokenStream::peek(std::size_t ahead) const {
    return tokens_[std::min(next_ + ahead, tokens_.size() - 1)];
}

Token TokenStream::take() {
    const Token& token = peek();
    if (next_ + 1 < tokens_.size()) ++next_;
    return token;
}

bool TokenStream::is_op(std::string_view op, std::size_t ahead) const {
    return is(TokenKind::op, ahead) && peek(ahead).text == op;
}

bool TokenStream::is_word(std::string_view word, std::size_t ahead) const {
    return is(TokenKind::name, ahead) && peek(ahead).text == word;
}

bool TokenStream::skip_op(std::string_view op) {
    const bool found = is_op(op);
    if (found) take();
    return found;
}

bool TokenStream::skip_word(std::string_view word) {
    const bool found = is_word(word);
    if (found) take();
    return found;
}

void TokenStream::expect_op(std::string_view op) {
    if (!skip_op(op)) fail_here(fmt::format("'{}'", op));
}

Token TokenStream::expect(TokenKind kind, std::string_view what) {
    if (!is(kind)) fail_here(what);
    return take();
}

std::string TokenStream::expect_name() {
    if (!is(TokenKind::name) || is_reserved(peek().text)) fail_here("a name");
    return take().text;
}

void TokenStream::fail(Code code, std::size_t at, const std::string& message) const {
    throw source_error(code, name_, source_, at, message);
}

void TokenStream::fail_here(std::string_view expected) const {
    const Token& token = peek();
    switch (token.kind) {
    case TokenKind::end:
        fail(Code::bad_file, token.at, fmt::format("the template ends where {} must stand", expected));
    case TokenKind::tag_end:
    case TokenKind::print_end:
        fail(Code::bad_file, token.at, fmt::format("the tag ends where {} must stand", expected));
    default:
        fail(Code::bad_file, token.at,
             fmt::format("{} where {} must stand", printable(token.text), expected));
    }
}

bool is_reserved(std::string_view word) {
    static constexpr std::string_view words[] = {"and",  "or",   "not",   "in",   "is",   "if",    "else",
                                                 "elif", "true", "false", "none", "True", "False", "None"};
    return std::ranges::find(words, word) != std::end(words);
}

} // namespace ingot::runtime::jinja
