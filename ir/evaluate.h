// The reference evaluator: runs any graph of any phase, slowly, in f64. The judge of every kernel and pass.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "ir/graph.h"
#include "ir/tensor.h"

namespace ingot::ir {

struct EvalInputs {
    // Io and state params by name; weights may be here too.
    std::map<std::string, Tensor, std::less<>> params = {};
    const Weights* weights = nullptr; // weights params by name
    // Value of each symbol; missing ones are taken from params' dims.
    std::map<std::string, int64_t, std::less<>> symbols = {};
};

struct EvalOptions {
    bool f32_between_ops = true; // round every op's result to the value's element; false keeps f64 inside
};

// Results in the order of the graph's results. Effects show as results: an appended cache is the value that
// kv_append returns. Throws Error for a missing or misfitting binding, or an id, page or position out of
// range.
std::vector<Tensor> evaluate(const Graph& g, const EvalInputs& inputs, const EvalOptions& options = {});

} // namespace ingot::ir
