// Random later forms of an imported graph: nodes gathered in regions, weights packed, values placed. They
// compute the same numbers, bit for bit, so that evaluators, printers and verifiers can be tried on every
// phase.
#pragma once

#include <algorithm>
#include <random>
#include <set>
#include <string>
#include <vector>

#include "ir/graph.h"

namespace ingot::test {

class RandomRegions {
  public:
    RandomRegions(const ir::Graph& g, ir::Phase phase, uint64_t seed) : old_(g), random_(seed) {
        g_.name = g.name;
        g_.phase = phase;
        g_.symbols = g.symbols;
    }

    ir::Graph make() {
        map_.assign(old_.values.size(), ir::no_id);
        for (const ir::ValueId v : old_.params)
            map_[v] = g_.add_param(old_.values[v].name, old_.type(v));
        ir::NodeId begin = 0;
        while (begin < old_.nodes.size()) {
            if (stays_outside(old_.nodes[begin])) {
                copy(begin++);
                continue;
            }
            ir::NodeId end = begin + 1;
            while (end < old_.nodes.size() && !stays_outside(old_.nodes[end]) && chance(0.7))
                ++end;
            region(begin, end);
            begin = end;
        }
        for (const ir::ValueId v : old_.results)
            g_.results.push_back(map_[v]);
        if (g_.phase >= ir::Phase::planned) place();
        return std::move(g_);
    }

  private:
    bool chance(double p) { return std::uniform_real_distribution<double>(0.0, 1.0)(random_) < p; }
    bool lowered() const { return g_.phase == ir::Phase::lowered; }
    // Here the constants of lowered graphs go into the bodies that read them.
    bool stays_outside(const ir::Node& n) const {
        return n.op == ir::Op::concat_rows || (n.op == ir::Op::constant && !lowered());
    }

    void copy(ir::NodeId id) {
        const ir::Node& n = old_.nodes[id];
        std::vector<ir::ValueId> operands;
        for (const ir::ValueId v : n.operands)
            operands.push_back(map_[v]);
        const ir::NodeId made =
            g_.add_node(n.op, std::move(operands), {old_.type(n.results[0])}, n.attrs, n.name);
        map_[n.results[0]] = g_.nodes[made].results[0];
    }

    // A weight in a packed layout, where the phase allows one and this type has one.
    ir::ValueId packed(ir::ValueId v) {
        const ir::Type& t = old_.type(v);
        const bool weight = t.pool == ir::Pool::weights && t.dims.size() == 2;
        if (!weight || g_.phase < ir::Phase::packed || chance(0.4)) return map_[v];
        ir::Type layout = t;
        layout.layout =
            t.dims[0].constant() % 2 == 0 && chance(0.3) ? ir::Layout::panel16_pair : ir::Layout::panel16;
        const ir::NodeId n = g_.add_node(ir::Op::pack, {map_[v]}, {layout});
        return g_.nodes[n].results[0];
    }

    bool used_from(ir::ValueId v, ir::NodeId end) const {
        for (ir::NodeId id = end; id < old_.nodes.size(); ++id)
            if (std::count(old_.nodes[id].operands.begin(), old_.nodes[id].operands.end(), v) != 0)
                return true;
        return std::count(old_.results.begin(), old_.results.end(), v) != 0;
    }

    void region(ir::NodeId begin, ir::NodeId end) {
        ir::Graph body;
        body.symbols = g_.symbols;
        if (chance(0.5)) body.phase = g_.phase;
        std::vector<ir::ValueId> operands, inner(old_.values.size(), ir::no_id);
        for (ir::NodeId id = begin; id < end; ++id)
            for (const ir::ValueId v : old_.nodes[id].operands) {
                const ir::NodeId producer = old_.values[v].producer;
                const bool inside = producer != ir::no_id && producer >= begin;
                if (inside || inner[v] != ir::no_id || constant_to_clone(v)) continue;
                operands.push_back(packed(v));
                inner[v] = body.add_param("", g_.type(operands.back()));
            }
        for (ir::NodeId id = begin; id < end; ++id) {
            const ir::Node& n = old_.nodes[id];
            std::vector<ir::ValueId> inner_operands;
            for (const ir::ValueId v : n.operands) {
                if (inner[v] == ir::no_id) clone_constant(v, body, inner);
                inner_operands.push_back(inner[v]);
            }
            const ir::NodeId made =
                body.add_node(n.op, std::move(inner_operands), {old_.type(n.results[0])}, n.attrs, n.name);
            inner[n.results[0]] = body.nodes[made].results[0];
        }
        std::vector<ir::ValueId> results;
        for (ir::NodeId id = begin; id < end; ++id) {
            const ir::Node& n = old_.nodes[id];
            const bool last = id + 1 == end && results.empty() && n.op != ir::Op::constant;
            if (n.op != ir::Op::constant && (last || used_from(n.results[0], end)))
                results.push_back(n.results[0]);
        }
        if (results.empty()) return; // nothing but constants, which are cloned where they are read
        std::vector<ir::Type> types;
        for (const ir::ValueId v : results) {
            body.results.push_back(inner[v]);
            types.push_back(old_.type(v));
        }
        std::vector<ir::Attr> attrs;
        if (lowered()) attrs.push_back({"kernel", "kernel-" + std::to_string(begin)});
        const ir::NodeId made =
            g_.add_node(lowered() ? ir::Op::launch : ir::Op::fused, std::move(operands), std::move(types),
                        std::move(attrs), "region." + std::to_string(begin), std::move(body));
        for (size_t i = 0; i < results.size(); ++i)
            map_[results[i]] = g_.nodes[made].results[i];
    }

    bool constant_to_clone(ir::ValueId v) const {
        const ir::Node* n = old_.producer(v);
        return n != nullptr && n->op == ir::Op::constant && map_[v] == ir::no_id;
    }
    void clone_constant(ir::ValueId v, ir::Graph& body, std::vector<ir::ValueId>& inner) const {
        const ir::NodeId made = body.add_node(ir::Op::constant, {}, {old_.type(v)}, old_.producer(v)->attrs);
        inner[v] = body.nodes[made].results[0];
    }

    void place() {
        uint64_t offset = 0;
        for (ir::Value& v : g_.values) {
            if (v.type.pool != ir::Pool::transient) continue;
            const uint64_t bytes = (ir::max_bytes(v.type, g_.symbols) + 63) / 64 * 64;
            v.placement = {.offset = offset, .bytes = bytes};
            offset += bytes;
        }
    }

    const ir::Graph& old_;
    ir::Graph g_;
    std::mt19937_64 random_;
    std::vector<ir::ValueId> map_;
};

// `phase` is fused or later.
inline ir::Graph random_regions(const ir::Graph& g, ir::Phase phase, uint64_t seed) {
    return RandomRegions(g, phase, seed).make();
}

} // namespace ingot::test
