#include "runtime/text/jinja/parser.h"

#include "runtime/text/jinja/builtin.h"
#include "runtime/text/jinja/expression_parser.h"
#include "runtime/text/jinja/token_stream.h"
#include "runtime/text/printable.h"

#include <algorithm>
#include <initializer_list>
#include <set>

#include <fmt/format.h>

namespace ingot::runtime::jinja {
namespace {

class Parser {
  public:
    Parser(std::string_view source, std::string_view name) : tokens_(source, name), expressions_(tokens_) {}

    Body whole() {
        Body body = statements({});
        for (const auto& [name, at] : expressions_.macro_calls) {
            if (!macros_.contains(name))
                tokens_.fail(
                    Code::unsupported, at,
                    fmt::format("the function {} is not known", printable(expressions_.names[name])));
        }
        return body;
    }

    std::vector<std::string> take_names() { return std::move(expressions_.names); }

  private:
    // Up to a tag that begins with one of `ends`, which is left to the caller after its {%. Without any: to
    // the end of the template.
    Body statements(std::initializer_list<std::string_view> ends) {
        const ExpressionParser::Level level(expressions_);
        Body body;
        while (true) {
            const Token token = tokens_.take();
            if (token.kind == TokenKind::end) {
                if (ends.size() > 0)
                    tokens_.fail(Code::bad_file, token.at,
                                 fmt::format("the template ends before '{}'", *ends.begin()));
                return body;
            }
            if (token.kind == TokenKind::data) {
                body.push_back(
                    output(token.at,
                           expressions_.make(token.at, Literal{Value::text(MarkedText(token.text, true))})));
            } else if (token.kind == TokenKind::print_begin) {
                body.push_back(output(token.at, expressions_.tuple()));
                tokens_.expect(TokenKind::print_end, "'}}'");
            } else {
                if (!tokens_.is(TokenKind::name)) tokens_.fail_here("a tag's name");
                if (std::ranges::find(ends, tokens_.peek().text) != ends.end()) return body;
                tag(body);
                tokens_.expect(TokenKind::tag_end, "'%}'");
            }
        }
    }

    static Statement output(std::size_t at, ExprPtr value) {
        return {.at = static_cast<std::uint32_t>(at), .node = Output{std::move(value)}};
    }

    // A statement, from its name to before the %} of its last tag.
    void tag(Body& body) {
        const Token name = tokens_.take();
        const auto add = [&](decltype(Statement::node) node) {
            body.push_back({.at = name.at, .node = std::move(node)});
        };
        if (name.text == "if") return add(if_tag());
        if (name.text == "for") return add(for_tag());
        if (name.text == "set") return set_tag(name.at, body);
        if (name.text == "macro") return add(macro_tag(name.at));
        if (name.text == "break") return loop_only(name.at), add(Break{});
        if (name.text == "continue") return loop_only(name.at), add(Continue{});
        if (name.text == "generation") {
            // Hugging Face's mark of what the assistant says: renders as what it holds.
            for (Statement& inner : block({"endgeneration"}))
                body.push_back(std::move(inner));
            tokens_.take();
            return;
        }
        if (name.text == "else" || name.text == "elif" || name.text.starts_with("end"))
            tokens_.fail(Code::bad_file, name.at, fmt::format("{} ends nothing", printable(name.text)));
        tokens_.fail(Code::unsupported, name.at,
                     fmt::format("the tag {} is not supported", printable(name.text)));
    }

    // What follows a tag's head: its %} (after a colon, where one likes Python) and statements up to an end.
    Body block(std::initializer_list<std::string_view> ends) {
        tokens_.skip_op(":");
        tokens_.expect(TokenKind::tag_end, "'%}'");
        return statements(ends);
    }

    If if_tag() {
        If result;
        while (true) {
            ExprPtr test = expressions_.tuple(false);
            result.branches.emplace_back(std::move(test), block({"endif", "elif", "else"}));
            const Token end = tokens_.take();
            if (end.text == "endif") return result;
            if (end.text == "elif") continue;
            result.otherwise = block({"endif"});
            tokens_.take();
            return result;
        }
    }

    For for_tag() {
        For loop;
        loop.target = target(false);
        if (!tokens_.skip_word("in")) tokens_.fail_here("'in'");
        loop.iterable = expressions_.tuple(false);
        if (tokens_.skip_word("if")) loop.condition = expressions_.expression();
        if (tokens_.is_word("recursive"))
            tokens_.fail(Code::unsupported, tokens_.at(), "recursive loops are not supported");
        const bool outer = std::exchange(in_loop_, true);
        const bool outer_scope = std::exchange(in_scope_, true);
        loop.body = block({"endfor", "else"});
        in_loop_ = outer;
        if (tokens_.take().text == "else") {
            loop.otherwise = block({"endfor"});
            tokens_.take();
        }
        in_scope_ = outer_scope;
        return loop;
    }

    void loop_only(std::size_t at) const {
        if (!in_loop_) tokens_.fail(Code::bad_file, at, "'break' and 'continue' stand only in a loop");
    }

    void set_tag(std::size_t at, Body& body) {
        Target to = target(true);
        const auto place = static_cast<std::uint32_t>(at);
        if (tokens_.skip_op("=")) {
            body.push_back(
                {.at = place, .node = Set{.target = std::move(to), .value = expressions_.tuple()}});
            return;
        }
        ExprPtr value = expressions_.filters(expressions_.make(at, CapturedText{}));
        // What is set inside the block is seen only there, and a loop around it is not left from inside.
        const bool outer_loop = std::exchange(in_loop_, false);
        const bool outer_scope = std::exchange(in_scope_, true);
        Body inside = block({"endset"});
        in_loop_ = outer_loop;
        in_scope_ = outer_scope;
        tokens_.take();
        body.push_back({.at = place,
                        .node = SetBlock{
                            .target = std::move(to), .value = std::move(value), .body = std::move(inside)}});
    }

    // A name, names with commas between (with or without parentheses), or, in a set tag, a namespace's
    // attribute.
    Target target(bool attributes) {
        Target result;
        const bool parentheses = tokens_.skip_op("(");
        do {
            if (parentheses && result.unpacks && tokens_.is_op(")")) break;
            if (tokens_.is_op("(") || tokens_.is_op("["))
                tokens_.fail(Code::unsupported, tokens_.at(), "nested targets are not supported");
            const std::size_t at = tokens_.at();
            const std::string name = tokens_.expect_name();
            if (name == "loop") tokens_.fail(Code::unsupported, at, "'loop' can't be assigned to");
            Target::Item item{.name = expressions_.name_id(name)};
            if (attributes && tokens_.skip_op("."))
                item.attribute = tokens_.expect(TokenKind::name, "a name").text;
            result.items.push_back(std::move(item));
            result.unpacks = result.unpacks || tokens_.is_op(",");
        } while (tokens_.skip_op(","));
        if (parentheses) tokens_.expect_op(")");
        return result;
    }

    Macro macro_tag(std::size_t at) {
        if (in_scope_) tokens_.fail(Code::unsupported, at, "a macro inside a loop, macro or set block");
        const std::size_t name_at = tokens_.at();
        const std::string name = tokens_.expect_name();
        if (find_function(name) != nullptr)
            tokens_.fail(Code::unsupported, name_at, fmt::format("a macro named as the function '{}'", name));
        Macro macro{.name = expressions_.name_id(name)};
        macros_.insert(macro.name);
        tokens_.expect_op("(");
        while (!tokens_.is_op(")")) {
            Macro::Parameter parameter{.name = expressions_.name_id(tokens_.expect_name())};
            const bool has_default = tokens_.skip_op("=");
            if (has_default) parameter.otherwise = expressions_.expression();
            if (!has_default && !macro.parameters.empty() && macro.parameters.back().otherwise != nullptr)
                tokens_.fail_here("a default, as the parameter before has one,");
            macro.parameters.push_back(std::move(parameter));
            if (!tokens_.skip_op(",")) break;
        }
        tokens_.expect_op(")");
        in_scope_ = expressions_.in_macro = true;
        macro.body = block({"endmacro"});
        in_scope_ = expressions_.in_macro = false;
        tokens_.take();
        return macro;
    }

    TokenStream tokens_;
    ExpressionParser expressions_;
    std::set<NameId> macros_;
    bool in_loop_ = false;
    bool in_scope_ = false; // inside of something that has variables of its own
};

} // namespace

Template parse(std::string_view source, std::string name) {
    Template result{.name = std::move(name), .source = normalize_newlines(source)};
    Parser parser(result.source, result.name);
    result.body = parser.whole();
    result.names = parser.take_names();
    return result;
}

} // namespace ingot::runtime::jinja
