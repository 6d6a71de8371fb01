// Inputs for a kernel that make sense to it: positions that follow each other, pages that exist, weights with
// sane scales.
#pragma once

#include <map>
#include <random>
#include <string>
#include <vector>

#include "ir/graph.h"
#include "ir/tensor.h"

namespace ingot::codegen {

// One tensor a param of the body, in `rows` layout, f32 values of about unit size. Params of element q8a come
// as f32: how they are quantised is the target's business.
std::vector<ir::Tensor> random_inputs(const ir::Graph& body,
                                      const std::map<std::string, int64_t, std::less<>>& symbols,
                                      std::mt19937_64& random);

// Random blocks or numbers of a weight [rows, cols].
ir::Tensor random_weight(ir::Element element, int64_t rows, int64_t cols, std::mt19937_64& random);

} // namespace ingot::codegen
