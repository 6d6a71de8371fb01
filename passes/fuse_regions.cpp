#include "passes/fuse_regions.h"

#include <algorithm>
#include <map>
#include <set>

#include <fmt/format.h>

#include "ir/effects.h"
#include "ir/invariant.h"
#include "ir/node_graph.h"
#include "passes/rewrite.h"

namespace ingot::passes {

using namespace ir;

namespace {

enum class Role {
    anchor,
    prologue,
    epilogue,
    late, // one number a row, needed behind an anchor: belongs to the kernel of its reader
    outside,
};

Role role_of(const Graph& g, const Node& n) {
    switch (n.op) {
    case Op::matmul:
    case Op::attention:
    case Op::embed:
    case Op::rope_angles:
        return Role::anchor;
    case Op::rms_norm:
    case Op::gather_rows:
        return Role::prologue;
    case Op::norm_scale:
        return Role::late;
    case Op::constant:
    case Op::concat_rows:
    case Op::pack:
    case Op::fused:
    case Op::launch:
        return Role::outside;
    case Op::quantize: {
        // The quantize of a norm belongs where the norm goes; that of anything else into the kernel that
        // makes it.
        const Node* maker = g.producer(n.operands[0]);
        return maker && role_of(g, *maker) != Role::prologue ? Role::epilogue : Role::prologue;
    }
    default:
        return Role::epilogue;
    }
}

constexpr uint32_t none = UINT32_MAX;

// Assigns each node to a region. Regions are numbered so that each depends on lower ones only.
class Partition {
  public:
    Partition(const Graph& g, const PassContext& context)
        : g_(g), context_(context), readers_(readers(g)), region_(g.nodes.size(), none) {
        for (NodeId id = 0; id < g.nodes.size(); ++id)
            place(id);
        claim_late();
        // Prologues that nothing claimed: read by several kernels, or by no anchor. They get kernels of their
        // own, in the order of the nodes, which needs the regions numbered anew.
        renumber();
    }

    // Node ids of each region, in order.
    const std::vector<std::vector<NodeId>>& regions() const { return regions_; }
    // The region of each node; outside ones have none.
    uint32_t region_of(NodeId id) const { return region_[id]; }

  private:
    uint32_t fresh() { return count_++; }

    void place(NodeId id) {
        const Node& n = g_.nodes[id];
        switch (role_of(g_, n)) {
        case Role::outside:
        case Role::prologue:
        case Role::late:
            return;
        case Role::anchor: {
            uint32_t region = none;
            if (n.op == Op::matmul && !context_.products_alone) region = sibling(id);
            const bool step_input = n.op != Op::matmul && n.op != Op::attention && reads_params_alone(n);
            if (step_input) region = step_inputs_;
            if (region == none) region = fresh();
            if (step_input) step_inputs_ = region;
            region_[id] = region;
            // Every head, or workgroup of a large product, would repeat it.
            const bool repeats = n.op == Op::attention || (n.op == Op::matmul && context_.products_alone);
            if (!repeats) claim_prologue(id);
            return;
        }
        case Role::epilogue: {
            uint32_t region = none;
            bool own = false;
            for (ValueId v : n.operands) {
                const NodeId p = g_.values[v].producer;
                if (p == no_id) continue;
                // An unclaimed prologue among the operands would have to be computed before the region runs.
                if (role_of(g_, g_.nodes[p]) == Role::prologue && region_[p] == none) own = true;
                if (region_[p] != none && (region == none || region_[p] > region)) region = region_[p];
            }
            region_[id] = own || region == none || !fits(id, region) ? fresh() : region;
            if (own) claim_prologue(id);
            return;
        }
        }
    }

    // Nothing that the node reads is computed by a kernel.
    bool reads_params_alone(const Node& n) const {
        return std::ranges::all_of(n.operands, [&](ValueId v) {
            const Node* producer = g_.producer(v);
            return !producer || role_of(g_, *producer) == Role::outside;
        });
    }

    // The node can be computed along with what it reads of the region, the last of those that it depends on.
    bool fits(NodeId id, uint32_t region) const {
        const Node& n = g_.nodes[id];
        for (ValueId v : n.operands) {
            const NodeId p = g_.values[v].producer;
            if (p == no_id) continue;
            if (role_of(g_, g_.nodes[p]) == Role::late && !computed_before(g_.nodes[p], region)) return false;
            if (region_[p] != region) continue;
            // The tiles of a value that is broadcast are not those of the result.
            if (is_pointwise(n.op) && g_.type(v).dims != g_.type(n.results[0]).dims) return false;
            // Attention leaves its kernel in one form, by rows: f32 or blocks of 8 bits.
            if (g_.nodes[p].op == Op::attention &&
                (n.op != Op::quantize || readers_[v].size() > 1 || is_result(g_, v)))
                return false;
        }
        // Whatever reads what the node changes in place has to be done before. In one kernel, some threads
        // would read what others change.
        return std::ranges::all_of(replaced_operands(g_, n), [&](ValueId v) {
            return v == no_id || std::ranges::all_of(readers_[v], [&](NodeId reader) {
                       return reader == id || region_[reader] < region;
                   });
        });
    }

    // A late node needs whole rows of what it reads, so these come from regions before its own.
    bool computed_before(const Node& late, uint32_t region) const {
        return std::ranges::all_of(late.operands, [&](ValueId v) {
            return !g_.producer(v) || region_[g_.values[v].producer] < region;
        });
    }

    // The region of an earlier product with the same input: neither can depend on the other, because all that
    // they read beside that input are weights.
    uint32_t sibling(NodeId id) const {
        for (NodeId other : readers_[g_.nodes[id].operands[0]])
            if (other < id && g_.nodes[other].op == Op::matmul &&
                g_.nodes[other].operands[0] == g_.nodes[id].operands[0] && region_[other] != none)
                return region_[other];
        return none;
    }

    // Pulls the chain of prologue nodes before `id` into its region where every reader of the chain is an
    // anchor's input in that region (a product that comes later and shares the input joins the same region).
    void claim_prologue(NodeId id) {
        for (ValueId v : g_.nodes[id].operands) {
            const NodeId p = g_.values[v].producer;
            if (p == no_id || region_[p] != none || role_of(g_, g_.nodes[p]) != Role::prologue) continue;
            if (is_result(g_, v)) continue;
            const bool ours = std::all_of(readers_[v].begin(), readers_[v].end(), [&](NodeId reader) {
                return region_[reader] == region_[id] ||
                       (g_.nodes[id].op == Op::matmul && g_.nodes[reader].op == Op::matmul &&
                        g_.nodes[reader].operands[0] == v);
            });
            if (!ours) continue;
            region_[p] = region_[id];
            claim_prologue(p);
        }
    }

    // Late nodes go where all their readers are.
    void claim_late() {
        for (NodeId id = 0; id < g_.nodes.size(); ++id) {
            const Node& n = g_.nodes[id];
            if (role_of(g_, n) != Role::late || is_result(g_, n.results[0])) continue;
            const std::vector<NodeId>& read_by = readers_[n.results[0]];
            const bool one = !read_by.empty() && std::all_of(read_by.begin(), read_by.end(), [&](NodeId r) {
                return region_[r] == region_[read_by[0]];
            });
            if (one) region_[id] = region_[read_by[0]];
        }
    }

    void renumber() {
        // An unclaimed prologue may stand between a region's nodes in number, so regions are ordered by
        // dependence: repeatedly emit, in order of first node, those whose inputs are all there.
        std::map<uint32_t, std::vector<NodeId>> members;
        uint32_t extra = count_;
        for (NodeId id = 0; id < g_.nodes.size(); ++id) {
            if (role_of(g_, g_.nodes[id]) == Role::outside) continue;
            if (region_[id] == none) region_[id] = extra++;
            members[region_[id]].push_back(id);
        }
        std::vector<std::vector<NodeId>> waiting;
        for (auto& [region, nodes] : members)
            waiting.push_back(std::move(nodes));
        std::sort(waiting.begin(), waiting.end());
        const NodeGraph edges(g_);
        std::vector<bool> done(g_.nodes.size(), false);
        while (!waiting.empty()) {
            const auto ready = std::ranges::find_if(waiting, [&](const std::vector<NodeId>& nodes) {
                return std::ranges::all_of(nodes, [&](NodeId id) {
                    return std::ranges::all_of(edges.in(id), [&](const NodeGraph::Edge& e) {
                        return done[e.source] || region_[e.source] == region_[id] ||
                               role_of(g_, g_.nodes[e.source]) == Role::outside;
                    });
                });
            });
            invariant(ready != waiting.end(), "regions that are fused depend on each other in one direction");
            for (NodeId id : *ready)
                done[id] = true;
            regions_.push_back(std::move(*ready));
            waiting.erase(ready);
        }
    }

    const Graph& g_;
    const PassContext& context_;
    std::vector<std::vector<NodeId>> readers_;
    std::vector<uint32_t> region_;
    std::vector<std::vector<NodeId>> regions_;
    uint32_t count_ = 0;
    uint32_t step_inputs_ = none; // embedding and RoPE angles depend on the step's inputs alone: one kernel
};

std::string region_name(const Graph& g, const std::vector<NodeId>& nodes) {
    for (NodeId id : nodes) // the anchor says best what a kernel does
        if (role_of(g, g.nodes[id]) == Role::anchor && !g.nodes[id].name.empty()) return g.nodes[id].name;
    for (NodeId id : nodes)
        if (!g.nodes[id].name.empty()) return g.nodes[id].name;
    return std::string(info(g.nodes[nodes.front()].op).name);
}

// What others see of the region's values: those that they read, results of the graph, and the last version of
// each storage that the region changes. In order.
std::vector<ValueId> region_results(const Graph& g, const std::vector<NodeId>& nodes,
                                    const std::vector<std::vector<NodeId>>& all_readers) {
    std::set<ValueId> seen;
    for (NodeId id : nodes) {
        const std::vector<ValueId> replaced = replaced_operands(g, g.nodes[id]);
        for (size_t i = 0; i < replaced.size(); ++i) {
            const ValueId v = g.nodes[id].results[i];
            const bool read_outside = std::ranges::any_of(all_readers[v], [&](NodeId reader) {
                return std::ranges::find(nodes, reader) == nodes.end();
            });
            if (replaced[i] != no_id) seen.erase(replaced[i]);
            if (read_outside || is_result(g, v) || replaced[i] != no_id) seen.insert(v);
        }
    }
    return {seen.begin(), seen.end()};
}

void emit(const Graph& g, const std::vector<NodeId>& nodes,
          const std::vector<std::vector<NodeId>>& all_readers, Rewriter& r) {
    const std::vector<ValueId> results = region_results(g, nodes, all_readers);
    if (results.empty()) return; // nobody needs the region
    Graph body;
    body.name = region_name(g, nodes);
    body.phase = g.phase;
    body.symbols = g.symbols;
    std::vector<ValueId> inputs; // old values
    std::map<ValueId, ValueId> inside;
    for (NodeId id : nodes)
        for (ValueId v : g.nodes[id].operands) {
            const NodeId p = g.values[v].producer;
            const bool external = p == no_id || std::find(nodes.begin(), nodes.end(), p) == nodes.end();
            if (!external || inside.contains(v)) continue;
            inputs.push_back(v);
            inside[v] = body.add_param(fmt::format("{}", inputs.size() - 1), g.type(v));
        }
    for (NodeId id : nodes) {
        const Node& n = g.nodes[id];
        std::vector<ValueId> operands;
        for (ValueId v : n.operands)
            operands.push_back(inside.at(v));
        std::vector<Type> types;
        for (ValueId v : n.results)
            types.push_back(g.type(v));
        const NodeId made = body.add_node(n.op, operands, types, n.attrs);
        for (size_t i = 0; i < n.results.size(); ++i)
            inside[n.results[i]] = body.nodes[made].results[i];
    }
    std::vector<Type> types;
    for (ValueId v : results) {
        body.results.push_back(inside.at(v));
        types.push_back(g.type(v));
    }
    const std::string name = body.name;
    const NodeId made = r.graph.add_node(Op::fused, r(inputs), types, {}, name, std::move(body));
    for (size_t i = 0; i < results.size(); ++i)
        r.inherit(results[i], r.graph.nodes[made].results[i]);
}

// A late node that several kernels need becomes one in each.
Graph with_late_copies(const Graph& g, const Partition& partition) {
    const auto read_by = readers(g);
    const auto is_shared = [&](NodeId id) {
        const ValueId v = g.nodes[id].results[0];
        if (role_of(g, g.nodes[id]) != Role::late || is_result(g, v)) return false;
        return std::ranges::any_of(read_by[v], [&](NodeId reader) {
            return partition.region_of(reader) != partition.region_of(read_by[v][0]);
        });
    };
    Rewriter r(g);
    std::map<std::pair<NodeId, uint32_t>, ValueId> copies; // by the late node and its readers' region
    for (NodeId id = 0; id < g.nodes.size(); ++id) {
        if (is_shared(id)) continue; // made where the first reader of each region stands
        for (ValueId v : g.nodes[id].operands) {
            const NodeId p = g.values[v].producer;
            if (p == no_id || !is_shared(p)) continue;
            const auto [at, is_new] = copies.try_emplace({p, partition.region_of(id)}, no_id);
            if (is_new) at->second = r.graph.nodes[r.copy(p)].results[0];
            r.map(v, at->second);
        }
        r.copy(id);
    }
    return r.finish();
}

} // namespace

void fuse_regions(Graph& g, const PassContext& context) {
    g = with_late_copies(g, Partition(g, context));
    const Partition partition(g, context);
    const auto all_readers = readers(g);
    Rewriter r(g);
    for (NodeId id = 0; id < g.nodes.size(); ++id)
        if (role_of(g, g.nodes[id]) == Role::outside) r.copy(id);
    for (const auto& nodes : partition.regions())
        emit(g, nodes, all_readers, r);
    r.graph.phase = Phase::fused;
    for (Graph& body : r.graph.bodies)
        body.phase = Phase::fused;
    g = r.finish();
}

} // namespace ingot::passes
