#include "ir/verify.h"

#include <fmt/format.h>

#include "ir/error.h"
#include "ir/text_form.h"
#include "ir/verify_rules.h"

namespace ingot::ir {

void Scope::fail(const std::string& message) const {
    throw Error(name, message);
}

void Scope::fail(const Node& n, const std::string& message) const {
    throw Error(fmt::format("{}, {}", name, node_name(n)), message);
}

void Scope::fail_value(ValueId v, const std::string& message) const {
    const Value& value = graph.values[v];
    const std::string hint = value.name.empty() ? "" : " " + quoted(value.name);
    const std::string said = fmt::format("value %{}{} {}", v, hint, message);
    if (value.producer < graph.nodes.size()) fail(graph.nodes[value.producer], said);
    fail(said);
}

std::string node_name(const Node& n) {
    const std::string id = n.results.empty() ? "" : fmt::format(" %{}", n.results[0]);
    const std::string hint = n.name.empty() ? "" : fmt::format(" ({})", n.name);
    return fmt::format("node{} {}{}", id, info(n.op).name, hint);
}

namespace {

// Bodies deeper than this are refused before any part walks into them.
constexpr int most_nesting = 8;

void check_depth(const Graph& g, const std::string& name, int depth) {
    if (depth > most_nesting)
        throw Error(name, fmt::format("bodies are nested deeper than {}", most_nesting));
    for (const Graph& body : g.bodies)
        check_depth(body, name, depth + 1);
}

// Structure of the graph and of all in it comes first: later parts look into bodies.
template <class Check>
void for_each_scope(const Scope& s, const Check& check) {
    check(s);
    for (const Node& n : s.graph.nodes)
        if (n.body != no_id)
            for_each_scope(Scope{.graph = s.graph.bodies[n.body],
                                 .around = &s.graph,
                                 .name = fmt::format("{}, {}, body", s.name, node_name(n)),
                                 .phase = s.phase},
                           check);
}

} // namespace

void verify(const Graph& g) {
    const Scope outermost{
        .graph = g, .around = nullptr, .name = "graph " + name_text(g.name), .phase = g.phase};
    check_depth(g, outermost.name, 0);
    for_each_scope(outermost, check_structure);
    for_each_scope(outermost, check_types);
    for_each_scope(outermost, check_bodies);
    for_each_scope(outermost, check_nodes);
    for_each_scope(outermost, [](const Scope& s) {
        check_pools(s);
        check_effects(s);
    });
    check_placements(outermost);
}

} // namespace ingot::ir
