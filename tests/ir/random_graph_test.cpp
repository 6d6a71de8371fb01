#include "tests/ir/random_graph.h"

#include <cstring>

#include <gtest/gtest.h>

#include "ir/evaluate.h"
#include "ir/print.h"
#include "ir/verify.h"
#include "tests/ir/random_regions.h"

namespace ingot::test {
namespace {

uint64_t fresh_seed() {
    return std::random_device{}();
}

ir::Phase some_late_phase(uint64_t seed) {
    return static_cast<ir::Phase>(static_cast<uint64_t>(ir::Phase::fused) + seed / 2 % 5);
}

void expect_round_trip(const ir::Graph& g) {
    ASSERT_NO_THROW(ir::verify(g)) << ir::print(g);
    const std::string text = ir::print(g);
    const ir::Graph back = ir::parse(text);
    ASSERT_TRUE(back == g) << text;
    ASSERT_EQ(ir::print(back), text);
}

TEST(RandomGraph, TenThousandAreWellFormedAndRoundTrip) {
    const uint64_t first = fresh_seed();
    for (uint64_t seed = first; seed < first + 10000; ++seed) {
        SCOPED_TRACE(seed);
        const ir::Graph g = random_graph(seed, {.symbols = seed % 3 != 0});
        expect_round_trip(seed % 2 == 0 ? g : random_regions(g, some_late_phase(seed), seed));
        if (HasFatalFailure()) return;
    }
}

TEST(RandomGraph, EvaluatesToFiniteNumbersAndTheSameInRegions) {
    const uint64_t first = fresh_seed();
    for (uint64_t seed = first; seed < first + 400; ++seed) {
        SCOPED_TRACE(seed);
        const ir::Graph g = random_graph(seed);
        const ir::EvalInputs inputs = random_inputs(g, seed);
        const std::vector<ir::Tensor> results = ir::evaluate(g, inputs);
        ASSERT_EQ(results.size(), g.results.size());
        for (const ir::Tensor& t : results)
            for (const float f : t.to_floats())
                ASSERT_TRUE(std::isfinite(f)) << ir::print(g);
        const ir::Graph late = random_regions(g, some_late_phase(seed), seed);
        ASSERT_NO_THROW(ir::verify(late)) << ir::print(late);
        const std::vector<ir::Tensor> again = ir::evaluate(late, inputs);
        for (size_t i = 0; i < results.size(); ++i) {
            ASSERT_EQ(again[i].dims, results[i].dims);
            ASSERT_EQ(std::memcmp(again[i].data.data(), results[i].data.data(), results[i].data.size()), 0)
                << "result " << i << "\n"
                << ir::print(late);
        }
    }
}

TEST(RandomGraph, InputsFitTheLatePhasesToo) {
    const uint64_t first = fresh_seed();
    for (uint64_t seed = first; seed < first + 200; ++seed) {
        SCOPED_TRACE(seed);
        const ir::Graph g = random_graph(seed);
        const ir::Graph late = random_regions(g, some_late_phase(seed), seed);
        ASSERT_NO_THROW(ir::evaluate(late, random_inputs(late, seed)));
    }
}

TEST(RandomGraph, EvaluatorDoesNotTouchItsInputs) {
    const uint64_t first = fresh_seed();
    for (uint64_t seed = first; seed < first + 100; ++seed) {
        SCOPED_TRACE(seed);
        const ir::Graph g = random_graph(seed);
        const ir::EvalInputs inputs = random_inputs(g, seed);
        std::map<std::string, std::vector<std::byte>> before;
        for (const auto& [name, tensor] : inputs.params)
            before[name].assign(tensor.data.begin(), tensor.data.end());
        ir::evaluate(g, inputs);
        for (const auto& [name, tensor] : inputs.params)
            ASSERT_TRUE(std::equal(tensor.data.begin(), tensor.data.end(), before[name].begin())) << name;
    }
}

} // namespace
} // namespace ingot::test
