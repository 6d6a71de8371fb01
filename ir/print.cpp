#include "ir/print.h"

#include <array>
#include <charconv>
#include <cmath>

#include <fmt/format.h>

#include "ir/text_form.h"

namespace ingot::ir {
namespace {

class Printer {
  public:
    explicit Printer(std::string& out) : out_(out) {}

    void graph(const Graph& g, const Graph* around, size_t depth) {
        for (const Symbol& s : around == nullptr || g.symbols != around->symbols ? g.symbols : no_symbols_) {
            line(depth);
            out_ += fmt::format("symbol {} = {}..{}", name_text(s.name), s.min, s.max);
        }
        if (around != nullptr && g.symbols.empty() && !around->symbols.empty()) {
            line(depth);
            out_ += "symbol none";
        }
        for (const ValueId v : g.params) {
            line(depth);
            out_ += "param ";
            definition(g, v);
            out_ += " : ";
            value_type(g, v);
        }
        for (const Node& n : g.nodes)
            node(g, n, depth);
        line(depth);
        out_ += "return";
        list(g.results);
    }

  private:
    void line(size_t depth) {
        out_ += '\n';
        out_.append(2 * depth, ' ');
    }

    void definition(const Graph& g, ValueId v) {
        out_ += fmt::format("%{}", v);
        if (v < g.values.size() && !g.values[v].name.empty()) out_ += " " + quoted(g.values[v].name);
    }

    // Text is also printed to show what is wrong with a graph, so that no id is trusted here.
    void value_type(const Graph& g, ValueId v) {
        if (v >= g.values.size()) {
            out_ += "?";
            return;
        }
        out_ += print(g.values[v].type, g.symbols);
        if (const auto& p = g.values[v].placement) out_ += fmt::format(" at {} size {}", p->offset, p->bytes);
    }

    void list(const std::vector<ValueId>& ids) {
        for (size_t i = 0; i < ids.size(); ++i)
            out_ += fmt::format("{}%{}", i == 0 ? " " : ", ", ids[i]);
    }

    void node(const Graph& g, const Node& n, size_t depth) {
        line(depth);
        for (size_t i = 0; i < n.results.size(); ++i) {
            if (i != 0) out_ += ", ";
            definition(g, n.results[i]);
        }
        out_ += n.results.empty() ? "" : " = ";
        out_ += info(n.op).name;
        if (!n.name.empty()) out_ += " " + quoted(n.name);
        out_ += '(';
        for (size_t i = 0; i < n.operands.size(); ++i)
            out_ += fmt::format("{}%{}", i == 0 ? "" : ", ", n.operands[i]);
        out_ += ')';
        attrs(n.attrs);
        for (size_t i = 0; i < n.results.size(); ++i) {
            out_ += i == 0 ? " : " : ", ";
            value_type(g, n.results[i]);
        }
        if (n.body < g.bodies.size()) body(g, g.bodies[n.body], depth);
    }

    void body(const Graph& g, const Graph& inner, size_t depth) {
        out_ += " body";
        if (!inner.name.empty()) out_ += " " + quoted(inner.name);
        if (inner.phase != Phase::imported) out_ += fmt::format(" phase {}", text(inner.phase));
        out_ += " {";
        graph(inner, &g, depth + 1);
        line(depth);
        out_ += '}';
    }

    void attrs(const std::vector<Attr>& list_of_attrs) {
        if (list_of_attrs.empty()) return;
        for (size_t i = 0; i < list_of_attrs.size(); ++i) {
            out_ += i == 0 ? " {" : ", ";
            out_ += name_text(list_of_attrs[i].name) + " = ";
            std::visit([&](const auto& v) { value(v); }, list_of_attrs[i].value);
        }
        out_ += '}';
    }

    void value(int64_t v) { out_ += std::to_string(v); }
    void value(double v) { out_ += real_text(v); }
    void value(const std::string& v) { out_ += quoted(v); }
    template <class T>
    void value(const std::vector<T>& v) {
        if (v.empty() && std::is_same_v<T, int64_t>) {
            out_ += "ints[]"; // as [] is an empty list of reals
            return;
        }
        out_ += '[';
        for (size_t i = 0; i < v.size(); ++i) {
            if (i != 0) out_ += ", ";
            value(v[i]);
        }
        out_ += ']';
    }

    std::string& out_;
    const std::vector<Symbol> no_symbols_;
};

} // namespace

std::string quoted(std::string_view bytes) {
    std::string out = "\"";
    for (const char c : bytes) {
        const auto byte = static_cast<unsigned char>(c);
        if (c == '"' || c == '\\')
            out += {'\\', c};
        else if (c == '\n')
            out += "\\n";
        else if (byte < 0x20 || byte >= 0x7f)
            out += fmt::format("\\x{:02x}", byte);
        else
            out += c;
    }
    return out += '"';
}

bool is_word(std::string_view t) {
    if (t.empty() || !is_word_start(t.front())) return false;
    for (const char c : t)
        if (!is_word_part(c)) return false;
    return true;
}

std::string name_text(std::string_view name) {
    return is_word(name) ? std::string(name) : quoted(name);
}

std::string real_text(double v) {
    if (std::isnan(v)) return "nan";
    if (std::isinf(v)) return v < 0 ? "-inf" : "inf";
    std::array<char, 64> buffer{};
    const char* end = std::to_chars(buffer.data(), buffer.data() + buffer.size(), v).ptr;
    std::string out(buffer.data(), static_cast<size_t>(end - buffer.data()));
    if (out.find_first_of(".e") == std::string::npos) out += ".0"; // reals never look like integers
    return out;
}

std::string print(const Type& type, std::span<const Symbol> symbols) {
    std::string out(info(type.element).text);
    for (size_t i = 0; i < type.dims.size(); ++i) {
        out += i == 0 ? "[" : ", ";
        const Dim d = type.dims[i];
        if (!d.is_symbol())
            out += std::to_string(d.constant());
        else
            out += d.symbol_index() < symbols.size() ? name_text(symbols[d.symbol_index()].name) : "?";
    }
    out += type.dims.empty() ? "[]" : "]";
    if (type.layout != Layout::rows) out += fmt::format(" {}", text(type.layout));
    return out += fmt::format(" {}", text(type.pool));
}

std::string print(const Graph& g) {
    std::string out = fmt::format("graph {} phase {} {{", quoted(g.name), text(g.phase));
    Printer(out).graph(g, nullptr, 1);
    return out += "\n}\n";
}

} // namespace ingot::ir
