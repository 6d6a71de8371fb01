#include "tests/ir/random_graph.h"

#include <gtest/gtest.h>

#include "ir/evaluate.h"
#include "ir/print.h"
#include "ir/verify.h"

namespace ingot::test {
namespace {

uint64_t fresh_seed() {
    return std::random_device{}();
}

TEST(RandomGraph, IsWellFormedAndRoundTrips) {
    const uint64_t first = fresh_seed();
    for (uint64_t seed = first; seed < first + 10000; ++seed) {
        SCOPED_TRACE(seed);
        const ir::Graph g = random_graph(seed);
        ASSERT_NO_THROW(ir::verify(g));
        const std::string text = ir::print(g);
        const ir::Graph back = ir::parse(text);
        ASSERT_TRUE(back == g) << text;
    }
}

TEST(RandomGraph, EvaluatesToFiniteNumbers) {
    const uint64_t first = fresh_seed();
    for (uint64_t seed = first; seed < first + 300; ++seed) {
        SCOPED_TRACE(seed);
        const ir::Graph g = random_graph(seed);
        const std::vector<ir::Tensor> results = ir::evaluate(g, random_inputs(g, seed));
        ASSERT_EQ(results.size(), g.results.size());
        for (const ir::Tensor& t : results)
            for (const float f : t.to_floats())
                ASSERT_TRUE(std::isfinite(f)) << ir::print(g);
    }
}

} // namespace
} // namespace ingot::test
