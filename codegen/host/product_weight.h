// A product of a host kernel and the packed weight that it streams.
#pragma once

#include <cstdint>
#include <set>
#include <string>

#include "codegen/kernel_source.h"
#include "codegen/region.h"

namespace ingot::codegen {

inline constexpr int64_t panel_rows = 16;

inline int64_t panels_of(int64_t rows) {
    return (rows + panel_rows - 1) / panel_rows;
}

struct Product {
    ir::NodeId id = 0;
    int64_t rows = 0, depth = 0; // N and K
    bool paired = false;         // panels of both halves in turn
    std::string weight, input;   // C++
    std::string format;
    uint64_t panel_bytes = 0;
    size_t weight_operand = 0;
};

// Throws ir::Error where the weight is no packed operand, or its element doesn't go with the input's.
Product describe_product(const Region& region, ir::NodeId id, std::set<std::string>& headers);

// The beginning of a thread's share, as C++.
std::string share_begin(const StreamedWeights& weights);

} // namespace ingot::codegen
