#include "passes/schedule.h"

#include <algorithm>
#include <set>

#include "ir/node_graph.h"
#include "passes/rewrite.h"

namespace ingot::passes {

using namespace ir;

namespace {

class Scheduler {
  public:
    explicit Scheduler(const Graph& g)
        : g_(g), edges_(g), waits_(g.nodes.size(), 0), left_(g.values.size(), 0) {
        for (const Node& n : g.nodes)
            for (ValueId v : n.operands)
                ++left_[v];
        for (ValueId v : g.results)
            ++left_[v];
        for (NodeId id = 0; id < g.nodes.size(); ++id) {
            waits_[id] = edges_.in(id).size();
            if (waits_[id] == 0) ready_.insert(id);
        }
    }

    std::vector<NodeId> order() {
        for (NodeId id = 0; id < g_.nodes.size(); ++id)
            if (std::ranges::all_of(g_.nodes[id].results, [&](ValueId v) { return is_weights(g_, v); }))
                run(id);
        while (!ready_.empty())
            run(*std::ranges::min_element(ready_, {}, [&](NodeId id) { return growth_of(g_.nodes[id]); }));
        return std::move(order_);
    }

  private:
    void run(NodeId id) {
        order_.push_back(id);
        ready_.erase(id);
        for (ValueId v : g_.nodes[id].operands)
            --left_[v];
        for (const NodeGraph::Edge& e : edges_.out(id))
            if (--waits_[e.target] == 0) ready_.insert(e.target);
    }

    // A double, because a sum of sizes may exceed 63 bits; those of real graphs are exact in it.
    double bytes(ValueId v) const {
        return g_.type(v).pool == Pool::transient ? static_cast<double>(max_bytes(g_.type(v), g_.symbols))
                                                  : 0;
    }

    double growth_of(const Node& n) const {
        double growth = 0;
        for (ValueId v : n.results)
            growth += bytes(v);
        for (size_t i = 0; i < n.operands.size(); ++i) {
            const ValueId v = n.operands[i];
            if (std::find(n.operands.begin(), n.operands.begin() + static_cast<ptrdiff_t>(i), v) !=
                n.operands.begin() + static_cast<ptrdiff_t>(i))
                continue;
            const auto uses = std::count(n.operands.begin(), n.operands.end(), v);
            if (left_[v] == static_cast<size_t>(uses)) growth -= bytes(v);
        }
        return growth;
    }

    const Graph& g_;
    const NodeGraph edges_;     // uses, and what must read an old version before it is changed
    std::vector<size_t> waits_; // edges of each node from nodes that have not run yet
    std::vector<size_t> left_;  // uses of each value that have not run yet
    std::set<NodeId> ready_;
    std::vector<NodeId> order_;
};

} // namespace

void schedule(Graph& g, const PassContext&) {
    Rewriter r(g);
    for (NodeId id : Scheduler(g).order())
        r.copy(id);
    r.graph.phase = Phase::scheduled;
    for (Graph& body : r.graph.bodies)
        body.phase = Phase::scheduled;
    g = r.finish();
}

} // namespace ingot::passes
