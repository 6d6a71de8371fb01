#include "ir/json.h"

#include <cmath>

#include <nlohmann/json.hpp>

#include "ir/text_form.h"

namespace ingot::ir {
namespace {

using Json = nlohmann::ordered_json;

Json number(double v) {
    return std::isfinite(v) ? Json(v) : Json(real_text(v));
}

Json attr_value(const AttrValue& value) {
    if (const auto* v = std::get_if<double>(&value)) return number(*v);
    if (const auto* v = std::get_if<std::vector<double>>(&value)) {
        Json list = Json::array();
        for (const double d : *v)
            list.push_back(number(d));
        return list;
    }
    if (const auto* v = std::get_if<int64_t>(&value)) return *v;
    if (const auto* v = std::get_if<std::string>(&value)) return *v;
    return std::get<std::vector<int64_t>>(value);
}

Json type_of(const Type& t, const Graph& g) {
    Json dims = Json::array();
    for (const Dim d : t.dims)
        dims.push_back(d.is_symbol() ? Json(g.symbols[d.symbol_index()].name) : Json(d.constant()));
    return {{"element", info(t.element).text},
            {"dims", std::move(dims)},
            {"layout", text(t.layout)},
            {"pool", text(t.pool)}};
}

Json value_of(const Value& v, const Graph& g) {
    Json out = {{"name", v.name}, {"type", type_of(v.type, g)}};
    if (v.producer != no_id) out["producer"] = v.producer;
    if (v.placement) out["placement"] = {{"offset", v.placement->offset}, {"bytes", v.placement->bytes}};
    return out;
}

Json graph_of(const Graph& g);

Json node_of(const Node& n, const Graph& g) {
    Json out = {{"op", info(n.op).name}, {"name", n.name}, {"operands", n.operands}, {"results", n.results}};
    Json attrs = Json::object();
    for (const Attr& a : n.attrs)
        attrs[a.name] = attr_value(a.value);
    out["attrs"] = std::move(attrs);
    if (n.body != no_id) out["body"] = graph_of(g.bodies[n.body]);
    return out;
}

Json graph_of(const Graph& g) {
    Json symbols = Json::array(), values = Json::array(), nodes = Json::array();
    for (const Symbol& s : g.symbols)
        symbols.push_back({{"name", s.name}, {"min", s.min}, {"max", s.max}});
    for (const Value& v : g.values)
        values.push_back(value_of(v, g));
    for (const Node& n : g.nodes)
        nodes.push_back(node_of(n, g));
    return {{"name", g.name},      {"phase", text(g.phase)},      {"symbols", std::move(symbols)},
            {"params", g.params},  {"values", std::move(values)}, {"nodes", std::move(nodes)},
            {"results", g.results}};
}

} // namespace

std::string json(const Graph& g) {
    return graph_of(g).dump(1, ' ', false, Json::error_handler_t::replace) + "\n";
}

} // namespace ingot::ir
