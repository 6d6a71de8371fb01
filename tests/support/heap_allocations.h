// Counts what a whole program takes from the heap, libraries included, by standing in front of malloc.
#pragma once

#include <cstddef>

namespace ingot::tests {

// Calls of malloc and its relatives so far, of all threads.
std::size_t heap_allocations();

// False under sanitizers, which stand in front of malloc themselves: the count stays 0 then.
bool counts_heap_allocations();

} // namespace ingot::tests
