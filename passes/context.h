// What a pass may know beside the graph.
#pragma once

#include "ir/graph.h"

namespace ingot::passes {

struct PassContext {
    // Bytes to which every planned offset is aligned.
    uint64_t alignment = 256;
    // Layout of the weights of products: panels for the host, row tiles for GPUs.
    bool row_tiles = false;
    // Layout of cached keys: octets of channels instead of single ones (GPUs).
    bool key_octets = false;
    // Norms before products are taken apart, so that their makers and readers share the work (GPUs).
    bool defer_norms = false;
    // A kernel has one product, and its input lies in memory (GPUs).
    bool products_alone = false;
    // Seconds that the exact memory planner may search where the quick orders miss the lower bound.
    double planner_seconds = 5.0;
};

} // namespace ingot::passes
