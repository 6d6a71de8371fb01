// The verifier's structural part: it trusts no id, and when it has passed no later part needs to.
#include <set>

#include <fmt/format.h>

#include "ir/error.h"
#include "ir/text_form.h"
#include "ir/verify_rules.h"

namespace ingot::ir {
namespace {

void check_symbols(const Scope& s) {
    if (s.graph.symbols.size() > most_symbols)
        s.fail(fmt::format("it has {} symbols; it may have {}", s.graph.symbols.size(), most_symbols));
    std::set<std::string_view> names;
    for (const Symbol& symbol : s.graph.symbols) {
        if (symbol.name.empty()) s.fail("a symbol has no name");
        if (!names.insert(symbol.name).second)
            s.fail(fmt::format("two symbols are named {}", quoted(symbol.name)));
        if (symbol.min < 1 || symbol.min > symbol.max)
            s.fail(fmt::format("symbol {} has bounds {}..{}; they must be 1 <= min <= max",
                               name_text(symbol.name), symbol.min, symbol.max));
    }
}

void check_params(const Scope& s) {
    const Graph& g = s.graph;
    std::set<std::string_view> names;
    for (size_t i = 0; i < g.params.size(); ++i) {
        if (g.params[i] != i || i >= g.values.size())
            s.fail(fmt::format("params are values 0..{} in order, but param {} is %{}", g.params.size() - 1,
                               i, g.params[i]));
        const Value& v = g.values[i];
        if (v.producer != no_id) s.fail_value(g.params[i], "is a param and has a producer");
        if (s.around != nullptr) continue;
        if (v.name.empty()) s.fail_value(g.params[i], "is a param without a name");
        if (!names.insert(v.name).second) s.fail(fmt::format("two params are named {}", quoted(v.name)));
    }
}

void check_node_ids(const Scope& s) {
    const Graph& g = s.graph;
    auto next = static_cast<ValueId>(g.params.size());
    uint32_t next_body = 0;
    for (NodeId id = 0; id < g.nodes.size(); ++id) {
        const Node& n = g.nodes[id];
        for (const ValueId v : n.operands)
            if (v >= next) s.fail(n, fmt::format("operand %{} is not defined before its use", v));
        if (n.results.empty()) s.fail(n, "it has no result");
        for (const ValueId v : n.results) {
            if (v != next || v >= g.values.size())
                s.fail(n, fmt::format("values are numbered in order: its result is %{} and should be %{}", v,
                                      next));
            if (g.values[v].producer != id)
                s.fail(n, fmt::format("its result %{} names another producer", v));
            ++next;
        }
        const bool region = n.op == Op::fused || n.op == Op::launch;
        if (region != (n.body != no_id)) s.fail(n, region ? "it has no body" : "only regions have a body");
        if (!region) continue;
        if (n.body != next_body || n.body >= g.bodies.size())
            s.fail(n, fmt::format("bodies are numbered in order: its body is {} and should be {}", n.body,
                                  next_body));
        ++next_body;
    }
    if (next != g.values.size()) s.fail(fmt::format("value %{} is neither a param nor a result", next));
    if (next_body != g.bodies.size()) s.fail(fmt::format("body {} belongs to no node", next_body));
    for (const ValueId v : g.results)
        if (v >= g.values.size()) s.fail(fmt::format("result %{} is not defined", v));
}

void check_layout(const Scope& s, ValueId v) {
    const Type& t = s.graph.type(v);
    if (t.layout == Layout::rows) return;
    if (t.layout == Layout::kv_channels || t.layout == Layout::kv_octets) {
        if (t.dims.size() != 4 || t.pool != Pool::state || is_quantized(t.element))
            s.fail_value(
                v, fmt::format("has layout {}, which is for floats of four dims in state", text(t.layout)));
        return;
    }
    if (t.dims.size() != 2 || t.dims[0].is_symbol() || t.dims[1].is_symbol() || t.pool != Pool::weights)
        s.fail_value(v,
                     fmt::format("has layout {}, which is for weights of two constant dims", text(t.layout)));
}

} // namespace

void check_structure(const Scope& s) {
    check_symbols(s);
    check_params(s);
    check_node_ids(s);
}

void check_types(const Scope& s) {
    constexpr size_t most_dims = 4;
    for (ValueId v = 0; v < s.graph.values.size(); ++v) {
        const Type& t = s.graph.type(v);
        if (t.dims.empty() || t.dims.size() > most_dims)
            s.fail_value(v, fmt::format("has {} dims; it must have 1 to {}", t.dims.size(), most_dims));
        try {
            max_bytes(t, s.graph.symbols);
        } catch (const Error& e) {
            s.fail_value(v, "has a bad type: " + e.message());
        }
        check_layout(s, v);
    }
}

} // namespace ingot::ir
