// The verifier's rules on nodes: op table, type rules, phases, bodies.
#include <fmt/format.h>

#include "ir/error.h"
#include "ir/infer.h"
#include "ir/print.h"
#include "ir/verify_rules.h"

namespace ingot::ir {
namespace {

constexpr std::string_view phase_letters = "icfpslx"; // of Phase's enumerators, as in ops.def
constexpr char body_letter = 'b';

void check_phase(const Scope& s, const Node& n) {
    const bool in_body = s.around != nullptr;
    const char letter = in_body ? body_letter : phase_letters[static_cast<size_t>(s.phase)];
    if (info(n.op).phases.find(letter) != std::string_view::npos) return;
    s.fail(n, in_body ? fmt::format("{} may not stand in a body", info(n.op).name)
                      : fmt::format("{} may not stand in phase {}", info(n.op).name, text(s.phase)));
}

std::vector<Type> types_of(const Graph& g, const std::vector<ValueId>& ids) {
    std::vector<Type> types;
    types.reserve(ids.size());
    for (const ValueId v : ids)
        types.push_back(g.type(v));
    return types;
}

// A result that the caller reads may be in io where the rule says transient; check_pools says when.
bool agrees(const Type& declared, Type derived) {
    if (derived.pool == Pool::transient && declared.pool == Pool::io) derived.pool = Pool::io;
    return declared == derived;
}

void check_type_rule(const Scope& s, const Node& n) {
    const std::vector<Type> operands = types_of(s.graph, n.operands), results = types_of(s.graph, n.results);
    if (!derives_results(n.op)) {
        check_given_results(n.op, operands, n.attrs, s.graph.symbols, results);
        return;
    }
    const std::vector<Type> derived = infer(n.op, operands, n.attrs, s.graph.symbols);
    if (derived.size() != results.size())
        s.fail(n, fmt::format("it has {} results and gives {}", results.size(), derived.size()));
    for (size_t i = 0; i < results.size(); ++i)
        if (!agrees(results[i], derived[i]))
            s.fail(n, fmt::format("its result is {}, the type rule gives {}",
                                  print(results[i], s.graph.symbols), print(derived[i], s.graph.symbols)));
}

void check_body(const Scope& s, const Node& n, const Graph& body) {
    const Graph& g = s.graph;
    if (body.symbols != g.symbols) s.fail(n, "its body has other symbols than the graph around it");
    if (body.params.size() != n.operands.size())
        s.fail(n,
               fmt::format("it has {} operands, its body {} params", n.operands.size(), body.params.size()));
    if (body.results.size() != n.results.size())
        s.fail(n, fmt::format("it has {} results, its body {}", n.results.size(), body.results.size()));
    for (size_t i = 0; i < n.operands.size(); ++i)
        if (g.type(n.operands[i]) != body.type(body.params[i]))
            s.fail(n, fmt::format("operand {} is {}, the body's param {}", i,
                                  print(g.type(n.operands[i]), g.symbols),
                                  print(body.type(body.params[i]), g.symbols)));
    for (size_t i = 0; i < n.results.size(); ++i)
        if (!agrees(g.type(n.results[i]), body.type(body.results[i])))
            s.fail(n, fmt::format("result {} is {}, the body's result {}", i,
                                  print(g.type(n.results[i]), g.symbols),
                                  print(body.type(body.results[i]), g.symbols)));
}

} // namespace

void check_nodes(const Scope& s) {
    for (const Node& n : s.graph.nodes) {
        try {
            check_signature(n.op, n.operands.size(), n.attrs);
            check_phase(s, n);
            check_type_rule(s, n);
        } catch (const Error& e) {
            if (e.where() == info(n.op).name) s.fail(n, e.message());
            throw;
        }
    }
}

void check_bodies(const Scope& s) {
    for (const Node& n : s.graph.nodes) {
        if (n.body != no_id) check_body(s, n, s.graph.bodies[n.body]);
    }
}

} // namespace ingot::ir
