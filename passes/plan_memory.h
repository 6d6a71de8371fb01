#pragma once

#include "passes/context.h"

namespace ingot::passes {

// Gives every transient value its offset in the transient arena: lifetimes in, offsets out (passes/memory). A
// value lives from the kernel that writes it to the last kernel that reads it, both included, because inside
// one kernel nothing says that all reads come before the first write. A result of the graph lives to its end.
void plan_memory(ir::Graph& g, const PassContext& context);

// From the node that writes a value to the last one that needs it, both included.
struct Lifetime {
    ir::ValueId value = 0;
    ir::NodeId first = 0, last = 0;
    uint64_t bytes = 0; // whole multiples of the alignment
};
// Of all transient values, in the order in which they are made.
std::vector<Lifetime> transient_lifetimes(const ir::Graph& scheduled, const PassContext& context = {});

// What `ingot inspect` prints: the bytes the planned arena needs and the bound that no plan can go below.
struct MemoryReport {
    uint64_t peak = 0;
    uint64_t lower_bound = 0;
};
MemoryReport memory_report(const ir::Graph& planned, const PassContext& context = {});

} // namespace ingot::passes
