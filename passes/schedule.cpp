#include "passes/schedule.h"

#include <algorithm>

#include "passes/rewrite.h"

namespace ingot::passes {

using namespace ir;

namespace {

class Scheduler {
  public:
    explicit Scheduler(const Graph& g) : g_(g), left_(g.values.size(), 0) {
        for (const Node& n : g.nodes)
            for (ValueId v : n.operands)
                ++left_[v];
        for (ValueId v : g.results)
            ++left_[v];
    }

    std::vector<NodeId> order() {
        std::vector<NodeId> out;
        std::vector<bool> done(g_.nodes.size(), false);
        std::vector<NodeId> waiting;
        for (NodeId id = 0; id < g_.nodes.size(); ++id) {
            const Node& n = g_.nodes[id];
            const bool on_weights =
                std::all_of(n.results.begin(), n.results.end(), [&](ValueId v) { return is_weights(g_, v); });
            if (on_weights) {
                done[id] = true;
                out.push_back(id);
            } else {
                waiting.push_back(id);
            }
        }
        while (!waiting.empty()) {
            auto best = waiting.end();
            int64_t best_growth = 0;
            for (auto it = waiting.begin(); it != waiting.end(); ++it) {
                if (!ready(g_.nodes[*it], done)) continue;
                const int64_t growth = growth_of(g_.nodes[*it]);
                if (best == waiting.end() || growth < best_growth) {
                    best = it;
                    best_growth = growth;
                }
            }
            const NodeId id = *best; // a graph in SSA form always has a node that is ready
            for (ValueId v : g_.nodes[id].operands)
                --left_[v];
            done[id] = true;
            out.push_back(id);
            waiting.erase(best);
        }
        return out;
    }

  private:
    bool ready(const Node& n, const std::vector<bool>& done) const {
        return std::all_of(n.operands.begin(), n.operands.end(), [&](ValueId v) {
            return g_.values[v].producer == no_id || done[g_.values[v].producer];
        });
    }

    int64_t bytes(ValueId v) const {
        return g_.type(v).pool == Pool::transient ? static_cast<int64_t>(max_bytes(g_.type(v), g_.symbols))
                                                  : 0;
    }

    int64_t growth_of(const Node& n) const {
        int64_t growth = 0;
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
    std::vector<size_t> left_; // uses of each value that have not run yet
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
