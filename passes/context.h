// What a pass may know beside the graph.
#pragma once

#include "ir/graph.h"

namespace ingot::passes {

struct PassContext {
    // Bytes to which every planned offset is aligned.
    uint64_t alignment = 256;
    // Seconds that the exact memory planner may search where the quick orders miss the lower bound.
    double planner_seconds = 5.0;
};

} // namespace ingot::passes
