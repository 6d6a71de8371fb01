#include "ir/graph.h"

#include <array>
#include <bit>
#include <cmath>

#include "ir/infer.h"
#include "ir/invariant.h"

namespace ingot::ir {
namespace {

constexpr std::array<std::string_view, 7> phase_names = {"imported",  "canonical", "fused",  "packed",
                                                         "scheduled", "planned",   "lowered"};

bool same(double a, double b) {
    return std::bit_cast<uint64_t>(a) == std::bit_cast<uint64_t>(b) || (std::isnan(a) && std::isnan(b));
}

template <class T>
const T& attr_of(const Node& n, std::string_view name) {
    for (const Attr& a : n.attrs) {
        if (a.name != name) continue;
        const T* value = std::get_if<T>(&a.value);
        invariant(value != nullptr, "an attribute is of the kind that the op table says");
        return *value;
    }
    invariant(false, "a node has every attribute of its op");
    std::abort();
}

} // namespace

std::string_view text(Phase p) {
    return phase_names[static_cast<size_t>(p)];
}

std::optional<Phase> phase_from_text(std::string_view t) {
    for (size_t i = 0; i < phase_names.size(); ++i)
        if (phase_names[i] == t) return static_cast<Phase>(i);
    return std::nullopt;
}

bool Attr::operator==(const Attr& other) const {
    if (name != other.name || value.index() != other.value.index()) return false;
    if (const double* a = std::get_if<double>(&value)) return same(*a, std::get<double>(other.value));
    if (const auto* a = std::get_if<std::vector<double>>(&value)) {
        const auto& b = std::get<std::vector<double>>(other.value);
        if (a->size() != b.size()) return false;
        for (size_t i = 0; i < b.size(); ++i)
            if (!same((*a)[i], b[i])) return false;
        return true;
    }
    return value == other.value;
}

uint32_t Graph::add_symbol(Symbol symbol) {
    symbols.push_back(std::move(symbol));
    return static_cast<uint32_t>(symbols.size() - 1);
}

Dim Graph::dim(std::string_view symbol) const {
    for (size_t i = 0; i < symbols.size(); ++i)
        if (symbols[i].name == symbol) return Dim::symbol(static_cast<uint32_t>(i));
    invariant(false, "a symbol is declared before its use");
    return Dim(1);
}

ValueId Graph::add_param(std::string param_name, Type type) {
    invariant(nodes.empty(), "params are added before nodes");
    const auto id = static_cast<ValueId>(values.size());
    values.push_back(
        {.type = std::move(type), .name = std::move(param_name), .producer = no_id, .placement = {}});
    params.push_back(id);
    return id;
}

NodeId Graph::add_node(Op op, std::vector<ValueId> operands, std::vector<Type> result_types,
                       std::vector<Attr> attrs, std::string node_name, std::optional<Graph> body) {
    const auto id = static_cast<NodeId>(nodes.size());
    Node node{.op = op,
              .operands = std::move(operands),
              .results = {},
              .attrs = std::move(attrs),
              .body = no_id,
              .name = std::move(node_name)};
    for (Type& type : result_types) {
        node.results.push_back(static_cast<ValueId>(values.size()));
        values.push_back({.type = std::move(type), .name = {}, .producer = id, .placement = {}});
    }
    if (body) {
        node.body = static_cast<uint32_t>(bodies.size());
        bodies.push_back(std::move(*body));
    }
    nodes.push_back(std::move(node));
    return id;
}

ValueId Graph::add(Op op, std::vector<ValueId> operands, std::vector<Attr> attrs, std::string node_name) {
    std::vector<Type> types;
    types.reserve(operands.size());
    for (const ValueId v : operands)
        types.push_back(type(v));
    std::vector<Type> results_of_op = infer(op, types, attrs, symbols);
    invariant(results_of_op.size() == 1, "Graph::add is for ops of one result");
    const NodeId n =
        add_node(op, std::move(operands), std::move(results_of_op), std::move(attrs), std::move(node_name));
    return nodes[n].results[0];
}

ValueId Graph::find_param(std::string_view param_name) const {
    for (const ValueId v : params)
        if (values[v].name == param_name) return v;
    return no_id;
}

int64_t int_attr(const Node& n, std::string_view name) {
    return attr_of<int64_t>(n, name);
}
double float_attr(const Node& n, std::string_view name) {
    return attr_of<double>(n, name);
}
const std::string& text_attr(const Node& n, std::string_view name) {
    return attr_of<std::string>(n, name);
}
const std::vector<double>& floats_attr(const Node& n, std::string_view name) {
    return attr_of<std::vector<double>>(n, name);
}

std::vector<std::vector<NodeId>> readers(const Graph& g) {
    std::vector<std::vector<NodeId>> found(g.values.size());
    for (NodeId n = 0; n < g.nodes.size(); ++n)
        for (const ValueId v : g.nodes[n].operands)
            if (found[v].empty() || found[v].back() != n) found[v].push_back(n);
    return found;
}

} // namespace ingot::ir
