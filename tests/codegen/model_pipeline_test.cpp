// The real model through every pass.
#include "ir/print.h"
#include "passes/pipeline.h"
#include "passes/plan_memory.h"
#include "tests/codegen/real_model.h"

#include <gtest/gtest.h>

#include <algorithm>

namespace ingot::tests {

using namespace ir;

namespace {

std::ptrdiff_t kernels(const Graph& g) {
    return std::count_if(g.nodes.begin(), g.nodes.end(), [](const Node& n) { return n.op == Op::fused; });
}

} // namespace

TEST_F(RealModel, HasFiveKernelsALayer) {
    Graph decode = model_.graphs[0];
    passes::run_pipeline(decode, {});
    EXPECT_EQ(kernels(decode), 30 * 5 + 2) << "and one for the embedding and one for the head";
    Graph prefill = model_.graphs[1];
    passes::run_pipeline(prefill, {});
    EXPECT_EQ(kernels(prefill), 30 * 5 + 1);
    Graph head = model_.graphs[2];
    passes::run_pipeline(head, {});
    EXPECT_EQ(kernels(head), 1);
}

TEST_F(RealModel, LayersShareTheirKernels) {
    Graph decode = model_.graphs[0];
    passes::run_pipeline(decode, {});
    std::vector<std::string> bodies;
    for (Graph body : decode.bodies) {
        body.name.clear(); // the one thing that differs from layer to layer
        bodies.push_back(print(body));
    }
    std::sort(bodies.begin(), bodies.end());
    bodies.erase(std::unique(bodies.begin(), bodies.end()), bodies.end());
    EXPECT_EQ(bodies.size(), 7U);
}

TEST_F(RealModel, TransientMemoryReachesTheLowerBound) {
    for (Graph& g : model_.graphs) {
        passes::run_pipeline(g, {});
        const passes::MemoryReport report = passes::memory_report(g);
        EXPECT_EQ(report.peak, report.lower_bound) << g.name;
    }
}

} // namespace ingot::tests
