// The two ops that are regions: their values are their body's, which the evaluator runs and the verifier
// checks.
#include "ir/ops/structured.h"

namespace ingot::ir {
namespace {

void check(const Rule& rule, std::span<const Type> results) {
    if (results.empty()) rule.fail("it needs at least one result");
}

} // namespace

extern constinit const StructuredOp fused_op{.result = nullptr, .check = check, .evaluate = nullptr};
extern constinit const StructuredOp launch_op{.result = nullptr, .check = check, .evaluate = nullptr};

} // namespace ingot::ir
