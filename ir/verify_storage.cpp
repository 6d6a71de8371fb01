// The verifier's rules on memory: pools, versions of what is changed in place, placements.
#include <algorithm>

#include <fmt/format.h>

#include "ir/effects.h"
#include "ir/error.h"
#include "ir/verify_rules.h"

namespace ingot::ir {
namespace {

// For each value, whether it is a result of the graph.
std::vector<bool> results_of(const Graph& g) {
    std::vector<bool> is_result(g.values.size(), false);
    for (const ValueId v : g.results)
        is_result[v] = true;
    return is_result;
}

// For each value: the node that changes it in place, or no_id.
struct Versions {
    std::vector<NodeId> changed_by;
    std::vector<bool> is_version; // the value is what such a node left
};

Versions versions_of(const Scope& s) {
    const Graph& g = s.graph;
    Versions found{std::vector<NodeId>(g.values.size(), no_id), std::vector<bool>(g.values.size(), false)};
    for (NodeId id = 0; id < g.nodes.size(); ++id) {
        const Node& n = g.nodes[id];
        const std::vector<ValueId> replaced = replaced_operands(g, n);
        for (size_t i = 0; i < replaced.size(); ++i) {
            const ValueId v = replaced[i];
            if (v == no_id) continue;
            if (found.changed_by[v] != no_id)
                s.fail(n, fmt::format("%{} is changed in place before, by {}", v,
                                      node_name(g.nodes[found.changed_by[v]])));
            if (std::count(n.operands.begin(), n.operands.end(), v) != 1)
                s.fail(n, fmt::format("it changes %{} in place and has it as another operand too", v));
            found.changed_by[v] = id;
            found.is_version[n.results[i]] = true;
        }
    }
    return found;
}

// Bytes may be shared by two values only if no node sees both of them alive.
struct Live {
    ValueId value;
    NodeId begin, end; // first and last node at which the bytes are held
    uint64_t offset, past;
};

std::vector<Live> live_ranges(const Scope& s) {
    const Graph& g = s.graph;
    std::vector<NodeId> last(g.values.size(), 0);
    for (NodeId id = 0; id < g.nodes.size(); ++id)
        for (const ValueId v : g.nodes[id].operands)
            last[v] = id;
    const std::vector<bool> is_result = results_of(g);
    std::vector<Live> ranges;
    for (ValueId v = 0; v < g.values.size(); ++v) {
        const Value& value = g.values[v];
        if (!value.placement) continue;
        uint64_t past = 0;
        if (__builtin_add_overflow(value.placement->offset, value.placement->bytes, &past) || past >> 63 != 0)
            s.fail_value(v, "is placed past the end of memory");
        const NodeId end = is_result[v] ? no_id : std::max(last[v], value.producer);
        ranges.push_back({v, value.producer, end, value.placement->offset, past});
    }
    return ranges;
}

void check_disjoint(const Scope& s, std::vector<Live> ranges) {
    std::sort(ranges.begin(), ranges.end(), [](const Live& a, const Live& b) { return a.begin < b.begin; });
    std::vector<Live> held;
    for (const Live& r : ranges) {
        std::erase_if(held, [&](const Live& h) { return h.end < r.begin; });
        for (const Live& h : held)
            if (h.offset < r.past && r.offset < h.past)
                s.fail_value(r.value, fmt::format("is placed at {}..{}, where %{} is still live at {}..{}",
                                                  r.offset, r.past, h.value, h.offset, h.past));
        held.push_back(r);
    }
}

void check_no_placements(const Graph& g, const Scope& s) {
    for (const Graph& body : g.bodies) {
        for (const Value& v : body.values)
            if (v.placement) s.fail("a value inside of a body has a placement");
        check_no_placements(body, s);
    }
}

} // namespace

void check_pools(const Scope& s) {
    const Graph& g = s.graph;
    const Versions versions = versions_of(s);
    const std::vector<bool> is_result = results_of(g);
    for (ValueId v = 0; v < g.values.size(); ++v) {
        const Node* producer = g.producer(v);
        switch (g.type(v).pool) {
        case Pool::weights:
            if (producer != nullptr && producer->op != Op::constant && producer->op != Op::concat_rows &&
                producer->op != Op::pack)
                s.fail_value(v, fmt::format("is in weights, which {} can't make", info(producer->op).name));
            break;
        case Pool::state:
            if (producer != nullptr && !versions.is_version[v])
                s.fail_value(v, "is in state and is not a new version of an operand");
            break;
        case Pool::transient:
            if (producer == nullptr && s.around == nullptr)
                s.fail_value(v, "is a param and can't be transient");
            break;
        case Pool::io:
            if (producer != nullptr && !is_result[v])
                s.fail_value(v, "is in io and is not a result of the graph");
            break;
        }
    }
}

void check_effects(const Scope& s) {
    const Graph& g = s.graph;
    const Versions versions = versions_of(s);
    const std::vector<bool> is_result = results_of(g);
    for (NodeId id = 0; id < g.nodes.size(); ++id)
        for (const ValueId v : g.nodes[id].operands)
            if (versions.changed_by[v] < id)
                s.fail(g.nodes[id], fmt::format("it reads %{}, an old version: {} has changed it", v,
                                                node_name(g.nodes[versions.changed_by[v]])));
    for (const ValueId v : g.results)
        if (versions.changed_by[v] != no_id)
            s.fail(fmt::format("result %{} is an old version: {} has changed it", v,
                               node_name(g.nodes[versions.changed_by[v]])));
    if (s.around == nullptr) return;
    // What a body changes in place has to come out of it, or the graph around it would not see the change.
    for (ValueId v = 0; v < g.values.size(); ++v)
        if (versions.is_version[v] && versions.changed_by[v] == no_id && !is_result[v])
            s.fail_value(v, "is a new version that the body does not return");
}

void check_placements(const Scope& s) {
    const Graph& g = s.graph;
    check_no_placements(g, s);
    for (ValueId v = 0; v < g.values.size(); ++v) {
        const Value& value = g.values[v];
        if (value.type.pool != Pool::transient) {
            if (value.placement)
                s.fail_value(v, fmt::format("has a placement, but is in {}", text(value.type.pool)));
            continue;
        }
        if (!value.placement) {
            if (s.phase >= Phase::planned) s.fail_value(v, "has no placement");
            continue;
        }
        if (const uint64_t needed = max_bytes(value.type, g.symbols); value.placement->bytes < needed)
            s.fail_value(v,
                         fmt::format("is placed in {} bytes and needs {}", value.placement->bytes, needed));
    }
    check_disjoint(s, live_ranges(s));
}

} // namespace ingot::ir
