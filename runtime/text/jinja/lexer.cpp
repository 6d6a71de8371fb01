#include "runtime/text/jinja/lexer.h"

#include "runtime/text/jinja/characters.h"
#include "runtime/text/jinja/source_error.h"
#include "runtime/text/jinja/string_literal.h"
#include "runtime/text/printable.h"
#include "runtime/text/unicode.h"

#include <algorithm>

#include <fmt/format.h>

namespace ingot::runtime::jinja {
namespace {

constexpr std::size_t npos = std::string_view::npos;

bool is_digit(char c) {
    return c >= '0' && c <= '9';
}

bool is_name_start(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}

// Follows jinja2.lexer (3.1): tokeniter() and its rules, of which the comments here quote the states.
class Lexer {
  public:
    Lexer(std::string_view source, std::string_view name) : source_(source), name_(name) {}

    std::vector<Token> run() {
        while (position_ < source_.size())
            root();
        add(TokenKind::end, position_, "");
        return std::move(tokens_);
    }

  private:
    [[noreturn]] void fail(Code code, std::size_t at, const std::string& message) const {
        throw source_error(code, name_, source_, at, message);
    }

    bool looking_at(std::string_view text) const { return source_.substr(position_).starts_with(text); }

    void add(TokenKind kind, std::size_t at, std::string_view text) {
        tokens_.push_back({.kind = kind, .at = static_cast<std::uint32_t>(at), .text = std::string(text)});
    }

    void skip_space() { position_ += leading_space(source_.substr(position_)); }

    // "root": text up to the next tag, and what opens the tag.
    void root() {
        const std::size_t begin = position_;
        std::size_t open = source_.find('{', begin);
        while (open != npos &&
               (open + 1 == source_.size() || std::string_view("{%#").find(source_[open + 1]) == npos)) {
            open = source_.find('{', open + 1);
        }
        if (open == npos) {
            add_data(begin, source_.size(), '+', false);
            position_ = source_.size();
            return;
        }
        const char kind = source_[open + 1];
        position_ = open + 2;
        const char sign = take_sign();
        add_data(begin, open, sign, kind != '{');
        if (kind == '#') {
            comment(open);
        } else if (kind == '{') {
            add(TokenKind::print_begin, open, "{{");
            tag(open, TokenKind::print_end);
        } else if (!raw(open)) {
            add(TokenKind::tag_begin, open, "{%");
            tag(open, TokenKind::tag_end);
        }
        line_starts_ = source_[position_ - 1] == '\n';
    }

    // The `-` or `+` after an opening, or a space where there is none.
    char take_sign() {
        if (position_ == source_.size() || (source_[position_] != '-' && source_[position_] != '+'))
            return ' ';
        return source_[position_++];
    }

    // The text in [begin, end), which a tag with `sign` follows; `lstrip`: where the tag begins a line, its
    // indentation goes.
    void add_data(std::size_t begin, std::size_t end, char sign, bool lstrip) {
        std::string_view text = source_.substr(begin, end - begin);
        if (sign == '-') {
            text.remove_suffix(trailing_space(text));
        } else if (sign != '+' && lstrip) {
            const std::size_t newline = text.rfind('\n');
            const std::size_t line = newline == npos ? 0 : newline + 1;
            const bool starts = newline != npos || line_starts_;
            if (starts && leading_space(text.substr(line)) == text.size() - line) text = text.substr(0, line);
        }
        if (!text.empty()) add(TokenKind::data, begin, text);
    }

    // What closes a block or comment, after an optional sign: `-` takes the space that follows, nothing takes
    // one newline, `+` leaves all. False where it isn't here.
    bool close(std::string_view end) {
        const std::size_t begin = position_;
        const char sign = take_sign();
        if (!looking_at(end)) {
            position_ = begin;
            return false;
        }
        position_ += end.size();
        if (sign == '-') skip_space();
        if (sign == ' ' && looking_at("\n")) ++position_;
        return true;
    }

    // A variable's end knows no `+` and takes no newline.
    bool close_print() {
        if (looking_at("-}}")) {
            position_ += 3;
            skip_space();
            return true;
        }
        if (!looking_at("}}")) return false;
        position_ += 2;
        return true;
    }

    void comment(std::size_t open) {
        while (position_ < source_.size()) {
            if (close("#}")) return;
            ++position_;
        }
        fail(Code::bad_file, open, "the comment has no end");
    }

    // {% raw %} to {% endraw %}, with position_ after the opening and its sign; false where it is another
    // tag.
    bool raw(std::size_t open) {
        const std::size_t begin = position_;
        skip_space();
        const bool is_raw = take_word("raw");
        skip_space();
        if (!is_raw || !(looking_at("%}") || looking_at("-%}"))) {
            position_ = begin;
            return false;
        }
        const bool strips = looking_at("-");
        position_ += strips ? 3 : 2;
        if (strips) skip_space();
        line_starts_ = source_[position_ - 1] == '\n';
        const std::size_t text = position_;
        for (std::size_t end = source_.find("{%", text); end != npos; end = source_.find("{%", end + 1)) {
            position_ = end + 2;
            const char sign = take_sign();
            skip_space();
            if (!take_word("endraw")) continue;
            skip_space();
            if (!close("%}")) continue;
            add_data(text, end, sign, true);
            return true;
        }
        fail(Code::bad_file, open, "the raw block has no end");
    }

    bool take_word(std::string_view word) {
        if (!looking_at(word)) return false;
        position_ += word.size();
        return true;
    }

    // Inside {{ }} or {% %}, up to its end.
    void tag(std::size_t open, TokenKind end) {
        std::vector<char> closers;
        while (true) {
            skip_space();
            if (position_ == source_.size()) fail(Code::bad_file, open, "the tag has no end");
            const std::size_t at = position_;
            if (closers.empty() && (end == TokenKind::print_end ? close_print() : close("%}"))) {
                add(end, at, "the end of the tag");
                return;
            }
            token(at, closers);
        }
    }

    void token(std::size_t at, std::vector<char>& closers) {
        const char c = source_[at];
        if (is_digit(c)) return number(at);
        if (is_name_start(c)) {
            while (position_ < source_.size() &&
                   (is_name_start(source_[position_]) || is_digit(source_[position_])))
                ++position_;
            return add(TokenKind::name, at, source_.substr(at, position_ - at));
        }
        if (c == '\'' || c == '"') return string(at);
        for (const std::string_view op :
             {"//", "**", "==", "!=", ">=", "<=", "+", "-", "/", "*", "%", "~", "[",
              "]",  "(",  ")",  "{",  "}",  ">",  "<", "=", ".", ":", "|", ",", ";"}) {
            if (!looking_at(op)) continue;
            balance(at, closers);
            position_ += op.size();
            return add(TokenKind::op, at, op);
        }
        const ClassedChar unknown = char_at(source_, at);
        fail(static_cast<unsigned char>(c) < 128 ? Code::bad_file : Code::unsupported, at,
             fmt::format("{} can't stand in a tag", printable(source_.substr(at, unknown.length))));
    }

    void balance(std::size_t at, std::vector<char>& closers) const {
        const char c = source_[at];
        if (c == '(') closers.push_back(')');
        if (c == '[') closers.push_back(']');
        if (c == '{') closers.push_back('}');
        if (c != ')' && c != ']' && c != '}') return;
        if (closers.empty()) fail(Code::bad_file, at, fmt::format("'{}' closes nothing", c));
        if (closers.back() != c)
            fail(Code::bad_file, at, fmt::format("'{}' where '{}' must close", c, closers.back()));
        closers.pop_back();
    }

    // Digits with single underscores between them, from position_.
    void skip_digits() {
        while (position_ < source_.size() && (is_digit(source_[position_]) ||
                                              (source_[position_] == '_' && position_ + 1 < source_.size() &&
                                               is_digit(source_[position_ + 1])))) {
            ++position_;
        }
    }

    bool digit_at(std::size_t at) const { return at < source_.size() && is_digit(source_[at]); }

    void number(std::size_t at) {
        skip_digits();
        bool is_real = false;
        // After a dot comes an attribute, so messages.0.1 holds two integers.
        const bool may_be_real = at == 0 || source_[at - 1] != '.';
        if (may_be_real && looking_at(".") && digit_at(position_ + 1)) {
            is_real = true;
            ++position_;
            skip_digits();
        }
        if (may_be_real && (looking_at("e") || looking_at("E"))) {
            const bool has_sign = position_ + 1 < source_.size() &&
                                  (source_[position_ + 1] == '-' || source_[position_ + 1] == '+');
            const std::size_t exponent = position_ + (has_sign ? 2 : 1);
            if (digit_at(exponent)) {
                is_real = true;
                position_ = exponent;
                skip_digits();
            }
        }
        std::string text(source_.substr(at, position_ - at));
        std::erase(text, '_');
        const bool has_zeros = !is_real && text.front() == '0' && text.find_first_not_of('0') != npos;
        if (has_zeros || (position_ < source_.size() && is_name_start(source_[position_])))
            fail(Code::unsupported, at, "a number must be decimal, without zeros in front");
        add(is_real ? TokenKind::real : TokenKind::integer, at, text);
    }

    void string(std::size_t at) {
        const char quote = source_[position_++];
        while (position_ < source_.size() && source_[position_] != quote)
            position_ += source_[position_] == '\\' ? 2 : 1;
        if (position_ >= source_.size()) fail(Code::bad_file, at, "the string has no end");
        try {
            add(TokenKind::string, at, unescape(source_.substr(at + 1, position_ - at - 1)));
        } catch (const Error& e) {
            fail(e.code(), at, e.what());
        }
        ++position_;
    }

    std::string_view source_;
    std::string_view name_;
    std::size_t position_ = 0;
    bool line_starts_ = true; // whether what was last read ends a line
    std::vector<Token> tokens_;
};

} // namespace

std::string normalize_newlines(std::string_view source) {
    std::string out;
    out.reserve(source.size());
    for (std::size_t i = 0; i < source.size(); ++i) {
        if (source[i] == '\r') {
            out += '\n';
            if (i + 1 < source.size() && source[i + 1] == '\n') ++i;
        } else {
            out += source[i];
        }
    }
    if (out.ends_with('\n')) out.pop_back();
    return out;
}

std::vector<Token> tokenize(std::string_view source, std::string_view name) {
    return Lexer(source, name).run();
}

} // namespace ingot::runtime::jinja
