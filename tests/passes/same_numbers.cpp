#include "tests/passes/same_numbers.h"

#include <gtest/gtest.h>

#include "ir/evaluate.h"
#include "ir/print.h"
#include "tests/ir/random_inputs.h"

namespace ingot::tests {

using namespace ir;

double allowed_nmse(std::string_view pass) {
    return pass == "quantize-activations" ? 5e-4 : 1e-7;
}

void expect_same_numbers(const Graph& before, const Graph& after, uint64_t seed, double nmse) {
    const EvalInputs inputs = test::random_inputs(before, seed);
    const std::vector<Tensor> expected = evaluate(before, inputs), got = evaluate(after, inputs);
    ASSERT_EQ(got.size(), expected.size());
    constexpr double lossless = 1e-7;
    for (size_t i = 0; i < got.size(); ++i) {
        const bool ids = got[i].element == Element::i32;
        if (ids && nmse > lossless) continue;
        if (const double error = test::nmse(got[i], expected[i]); !(error <= (ids ? 0 : nmse)))
            ADD_FAILURE() << "result " << i << " is off by NMSE " << error << ", inputs of seed " << seed
                          << "\nbefore:\n"
                          << print(before) << "after:\n"
                          << print(after);
    }
}

} // namespace ingot::tests
