#pragma once

#include "passes/context.h"

namespace ingot::passes {

// Gives every transient value its offset in the transient arena: lifetimes in, offsets out (passes/memory). A
// value lives from the kernel that writes it to the last kernel that reads it, both included, because inside
// one kernel nothing says that all reads come before the first write.
void plan_memory(ir::Graph& g, const PassContext& context);

// What `ingot inspect` prints: the bytes the planned arena needs and the bound that no plan can go below.
struct MemoryReport {
    uint64_t peak = 0;
    uint64_t lower_bound = 0;
};
MemoryReport memory_report(const ir::Graph& planned, const PassContext& context = {});

} // namespace ingot::passes
