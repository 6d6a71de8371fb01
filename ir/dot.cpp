#include "ir/dot.h"

#include <fmt/format.h>

#include "ir/print.h"

namespace ingot::ir {
namespace {

std::string_view colour(Pool p) {
    switch (p) {
    case Pool::weights:
        return "#4c72b0";
    case Pool::state:
        return "#c44e52";
    case Pool::transient:
        return "#555555";
    case Pool::io:
        return "#55a868";
    }
    return "";
}

// A double-quoted DOT string. What isn't printable ASCII is shown as '?': Graphviz takes valid UTF-8 only.
std::string dot_string(std::string_view bytes) {
    std::string out = "\"";
    for (const char c : bytes) {
        if (c == '"' || c == '\\')
            out += {'\\', c};
        else if (c == '\n')
            out += "\\n";
        else
            out += c >= 0x20 && c < 0x7f ? c : '?';
    }
    return out += '"';
}

class Writer {
  public:
    explicit Writer(std::string& out) : out_(out) {}

    // `vertex` gives the vertex that each of the graph's params comes from.
    std::vector<std::string> graph(const Graph& g, std::vector<std::string> vertex, const std::string& prefix,
                                   int depth) {
        vertex.resize(g.values.size());
        for (NodeId id = 0; id < g.nodes.size(); ++id)
            node(g, id, vertex, prefix, depth);
        std::vector<std::string> results;
        for (const ValueId v : g.results)
            results.push_back(vertex[v]);
        return results;
    }

    std::vector<std::string> params(const Graph& g) {
        std::vector<std::string> vertex;
        for (const ValueId v : g.params) {
            vertex.push_back(fmt::format("p{}", v));
            line(1,
                 fmt::format("{} [shape=box, color=\"{}\", label={}];", vertex.back(), colour(g.type(v).pool),
                             dot_string(g.values[v].name + "\n" + print(g.type(v), g.symbols))));
        }
        return vertex;
    }

    void results(const Graph& g, const std::vector<std::string>& vertex) {
        for (size_t i = 0; i < g.results.size(); ++i) {
            line(1, fmt::format("r{} [shape=plaintext, label={}];", i,
                                dot_string(fmt::format("result {}\n{}", i, g.values[g.results[i]].name))));
            edge(1, vertex[i], fmt::format("r{}", i), g, g.results[i]);
        }
    }

  private:
    void line(int depth, const std::string& text) {
        out_ += std::string(2 * static_cast<size_t>(depth), ' ') + text + "\n";
    }

    void edge(int depth, const std::string& from, const std::string& to, const Graph& g, ValueId v) {
        line(depth, fmt::format("{} -> {} [color=\"{}\", tooltip={}];", from, to, colour(g.type(v).pool),
                                dot_string(fmt::format("%{} {}", v, print(g.type(v), g.symbols)))));
    }

    void node(const Graph& g, NodeId id, std::vector<std::string>& vertex, const std::string& prefix,
              int depth) {
        const Node& n = g.nodes[id];
        const std::string here = fmt::format("{}n{}", prefix, id);
        if (n.body != no_id) {
            region(g, n, vertex, here, depth);
            return;
        }
        line(depth, fmt::format("{} [label={}];", here,
                                dot_string(fmt::format("{} {}\n{}", info(n.op).name, n.name,
                                                       print(g.type(n.results[0]), g.symbols)))));
        for (const ValueId v : n.operands)
            edge(depth, vertex[v], here, g, v);
        for (const ValueId v : n.results)
            vertex[v] = here;
    }

    void region(const Graph& g, const Node& n, std::vector<std::string>& vertex, const std::string& here,
                int depth) {
        line(depth, fmt::format("subgraph cluster_{} {{", here));
        line(depth + 1, fmt::format("label={};", dot_string(fmt::format("{} {}", info(n.op).name, n.name))));
        std::vector<std::string> inner;
        for (const ValueId v : n.operands)
            inner.push_back(vertex[v]);
        const std::vector<std::string> made = graph(g.bodies[n.body], std::move(inner), here, depth + 1);
        line(depth, "}");
        for (size_t i = 0; i < n.results.size(); ++i)
            vertex[n.results[i]] = made[i];
    }

    std::string& out_;
};

} // namespace

std::string dot(const Graph& g) {
    std::string out =
        fmt::format("digraph {} {{\n  node [shape=ellipse, fontname=\"sans-serif\"];\n", dot_string(g.name));
    Writer writer(out);
    std::vector<std::string> params = writer.params(g);
    writer.results(g, writer.graph(g, std::move(params), "", 1));
    return out += "}\n";
}

} // namespace ingot::ir
