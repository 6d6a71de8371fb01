// The processor cores that this process may use.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

namespace ingot::runtime {

// One physical core: the logical processors of it that the process may run on, by the system's numbers.
struct Core {
    std::vector<unsigned> processors;
};

struct Topology {
    std::vector<Core> cores; // at least one; cores that share a cache stand side by side
    unsigned numa_nodes = 1; // of those cores
    // Cores' worth of time that the control group grants, rounded up; cores.size() where nothing limits it.
    // More threads than this would wait for each other while one of them is held back.
    unsigned granted = 1;
};

// Looks at the machine as it is now, at this process's affinity and at its control group.
Topology discover_topology();

// The processor's own name, for people; "x86-64" where it has none.
std::string processor_name();

} // namespace ingot::runtime
