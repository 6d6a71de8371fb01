#include <limits>
#include <map>

#include <fmt/format.h>

#include "ir/error.h"
#include "ir/lexer.h"
#include "ir/print.h"
#include "ir/text_form.h"

namespace ingot::ir {
namespace {

using SymbolIndex = std::map<std::string, uint32_t, std::less<>>;

// Recursive descent, one function a rule of the grammar in docs/IR.md.
class Parser {
  public:
    Parser(std::string_view source, std::string_view source_name) : lexer_(source, source_name) { step(); }

    bool at_end() const { return token_.kind == TokenKind::end; }

    Graph top_level() {
        Graph g;
        expect_word("graph");
        g.name = string();
        expect_word("phase");
        g.phase = phase();
        SymbolIndex symbols;
        block(g, symbols, 0);
        return g;
    }

    void expect_end() const {
        if (!at_end()) fail("one graph is expected, and here is more");
    }

  private:
    static constexpr int most_nesting = 8;

    [[noreturn]] void fail(const std::string& message) const {
        lexer_.fail(token_.line, token_.column, message);
    }
    void step() { token_ = lexer_.next(); }
    bool at_symbol(std::string_view s) const { return token_.kind == TokenKind::symbol && token_.text == s; }
    bool at_word(std::string_view w) const { return token_.kind == TokenKind::word && token_.text == w; }

    bool take_symbol(std::string_view s) {
        if (!at_symbol(s)) return false;
        step();
        return true;
    }
    bool take_word(std::string_view w) {
        if (!at_word(w)) return false;
        step();
        return true;
    }
    void expect_symbol(std::string_view s) {
        if (!take_symbol(s)) fail(fmt::format("'{}' is expected", s));
    }
    void expect_word(std::string_view w) {
        if (!take_word(w)) fail(fmt::format("'{}' is expected", w));
    }

    std::string take(TokenKind kind, const char* what) {
        if (token_.kind != kind) fail(fmt::format("{} is expected", what));
        std::string found = std::move(token_.text);
        step();
        return found;
    }
    std::string word(const char* what) { return take(TokenKind::word, what); }
    std::string string() { return take(TokenKind::string, "a string"); }
    std::string name(const char* what) {
        return take(token_.kind == TokenKind::string ? TokenKind::string : TokenKind::word, what);
    }
    std::string optional_string() { return token_.kind == TokenKind::string ? string() : std::string(); }

    int64_t integer(int64_t least) {
        if (token_.kind != TokenKind::integer) fail("an integer is expected");
        if (token_.integer < least) fail(fmt::format("it must be at least {}", least));
        const int64_t found = token_.integer;
        step();
        return found;
    }
    ValueId value_id() {
        if (token_.kind != TokenKind::value) fail("a value is expected");
        const auto id = static_cast<ValueId>(token_.integer);
        step();
        return id;
    }

    // A word out of a fixed list, by the list's own lookup; the error stands at the word.
    template <class Lookup>
    auto one_of(const char* what, const Lookup& lookup) {
        if (token_.kind != TokenKind::word) fail(fmt::format("{} is expected", what));
        const auto found = lookup(token_.text);
        if (!found) fail(fmt::format("'{}' is not {}", token_.text, what));
        step();
        return *found;
    }
    Phase phase() {
        return one_of("a phase", [](std::string_view t) { return phase_from_text(t); });
    }

    void block(Graph& g, SymbolIndex& symbols, int depth) {
        expect_symbol("{");
        bool own_symbols = depth == 0;
        while (take_word("symbol"))
            symbol(g, symbols, own_symbols);
        while (take_word("param"))
            param(g, symbols);
        while (token_.kind == TokenKind::value)
            node(g, symbols, depth);
        expect_word("return");
        if (token_.kind == TokenKind::value) {
            do
                g.results.push_back(value_id());
            while (take_symbol(","));
        }
        expect_symbol("}");
    }

    // A body has the symbols of the graph around it until it declares one of its own, or `symbol none`.
    void symbol(Graph& g, SymbolIndex& symbols, bool& own_symbols) {
        if (!own_symbols) {
            g.symbols.clear();
            symbols.clear();
            own_symbols = true;
        }
        Token at = token_;
        if (g.symbols.size() == most_symbols)
            fail(fmt::format("a graph has at most {} symbols", most_symbols));
        Symbol s{.name = name("a symbol's name")};
        if (!at_symbol("=") && at.kind == TokenKind::word && s.name == "none") return;
        expect_symbol("=");
        s.min = integer(std::numeric_limits<int64_t>::min());
        expect_symbol("..");
        s.max = integer(std::numeric_limits<int64_t>::min());
        if (!symbols.emplace(s.name, static_cast<uint32_t>(g.symbols.size())).second)
            lexer_.fail(at.line, at.column, fmt::format("two symbols are named {}", quoted(s.name)));
        g.add_symbol(std::move(s));
    }

    // "%7" with an optional name; values are numbered in the order of the text.
    std::string definition(size_t number) {
        if (token_.kind == TokenKind::value && static_cast<size_t>(token_.integer) != number)
            fail(fmt::format("values are numbered in order: here %{} is expected", number));
        value_id();
        return optional_string();
    }

    void param(Graph& g, const SymbolIndex& symbols) {
        std::string param_name = definition(g.values.size());
        expect_symbol(":");
        Type t = type(symbols);
        const ValueId v = g.add_param(std::move(param_name), std::move(t));
        g.values[v].placement = placement();
    }

    void node(Graph& g, const SymbolIndex& symbols, int depth) {
        std::vector<std::string> names;
        do
            names.push_back(definition(g.values.size() + names.size()));
        while (take_symbol(","));
        expect_symbol("=");
        const Op op = one_of("an op", [](std::string_view t) { return op_from_text(t); });
        std::string node_name = optional_string();
        std::vector<ValueId> operands;
        expect_symbol("(");
        while (!at_symbol(")")) {
            operands.push_back(value_id());
            if (!take_symbol(",")) break;
        }
        expect_symbol(")");
        std::vector<Attr> attrs = attributes();
        std::vector<Type> types;
        std::vector<std::optional<Placement>> placements;
        for (size_t i = 0; i < names.size(); ++i) {
            expect_symbol(i == 0 ? ":" : ",");
            types.push_back(type(symbols));
            placements.push_back(placement());
        }
        std::optional<Graph> inner;
        if (take_word("body")) inner = body(g, symbols, depth + 1);
        const NodeId n = g.add_node(op, std::move(operands), std::move(types), std::move(attrs),
                                    std::move(node_name), std::move(inner));
        for (size_t i = 0; i < names.size(); ++i) {
            Value& v = g.values[g.nodes[n].results[i]];
            v.name = std::move(names[i]);
            v.placement = placements[i];
        }
    }

    Graph body(const Graph& around, SymbolIndex symbols, int depth) {
        if (depth > most_nesting) fail(fmt::format("bodies are nested deeper than {}", most_nesting));
        Graph g;
        g.symbols = around.symbols;
        g.name = optional_string();
        if (take_word("phase")) g.phase = phase();
        block(g, symbols, depth);
        return g;
    }

    Type type(const SymbolIndex& symbols) {
        Type t;
        t.element = one_of("an element type", [](std::string_view w) { return element_from_text(w); });
        expect_symbol("[");
        while (!at_symbol("]")) {
            t.dims.push_back(dim(symbols));
            if (!take_symbol(",")) break;
        }
        expect_symbol("]");
        if (token_.kind == TokenKind::word)
            if (const std::optional<Layout> layout = layout_from_text(token_.text)) {
                t.layout = *layout;
                step();
            }
        t.pool = one_of("a layout or pool", [](std::string_view w) { return pool_from_text(w); });
        return t;
    }

    Dim dim(const SymbolIndex& symbols) {
        if (token_.kind == TokenKind::integer) return integer(1);
        if (token_.kind != TokenKind::word && token_.kind != TokenKind::string) fail("a dim is expected");
        const auto found = symbols.find(token_.text);
        if (found == symbols.end()) fail(fmt::format("no symbol is named {}", quoted(token_.text)));
        step();
        return Dim::symbol(found->second);
    }

    std::optional<Placement> placement() {
        if (!take_word("at")) return std::nullopt;
        Placement p;
        p.offset = static_cast<uint64_t>(integer(0));
        expect_word("size");
        p.bytes = static_cast<uint64_t>(integer(0));
        return p;
    }

    std::vector<Attr> attributes() {
        std::vector<Attr> attrs;
        if (!take_symbol("{")) return attrs;
        do {
            std::string attr_name = name("an attribute's name");
            expect_symbol("=");
            attrs.push_back({std::move(attr_name), attr_value()});
        } while (take_symbol(","));
        expect_symbol("}");
        return attrs;
    }

    AttrValue attr_value() {
        if (token_.kind == TokenKind::string) return string();
        if (take_word("ints")) {
            expect_symbol("[");
            expect_symbol("]");
            return std::vector<int64_t>();
        }
        if (take_symbol("[")) return list();
        if (at_real()) return real();
        return integer(std::numeric_limits<int64_t>::min());
    }

    bool at_real() const { return token_.kind == TokenKind::real || at_word("inf") || at_word("nan"); }

    double real() {
        double v = token_.real;
        if (at_word("inf")) v = std::numeric_limits<double>::infinity();
        if (at_word("nan")) v = std::numeric_limits<double>::quiet_NaN();
        step();
        return v;
    }

    AttrValue list() {
        std::vector<double> reals;
        std::vector<int64_t> integers;
        const bool are_reals = at_real() || at_symbol("]");
        while (!at_symbol("]")) {
            if (at_real() != are_reals) fail(are_reals ? "a real is expected" : "an integer is expected");
            if (are_reals)
                reals.push_back(real());
            else
                integers.push_back(integer(std::numeric_limits<int64_t>::min()));
            if (!take_symbol(",")) break;
        }
        expect_symbol("]");
        if (are_reals) return reals;
        return integers;
    }

    Lexer lexer_;
    Token token_;
};

} // namespace

Graph parse(std::string_view text, std::string_view source_name) {
    Parser parser(text, source_name);
    Graph g = parser.top_level();
    parser.expect_end();
    return g;
}

std::vector<Graph> parse_all(std::string_view text, std::string_view source_name) {
    Parser parser(text, source_name);
    std::vector<Graph> graphs;
    while (!parser.at_end())
        graphs.push_back(parser.top_level());
    return graphs;
}

} // namespace ingot::ir
