// How many groups of a kernel a unit of a GPU (compute unit, work group processor, multiprocessor) holds at
// once.
#pragma once

#include <cstdint>

#include "codegen/resources.h"
#include "codegen/targets.h"

namespace ingot::codegen {

enum class OccupancyLimit : uint8_t { waves, registers, group_memory, groups };

struct Occupancy {
    uint32_t groups = 0; // on one unit; 0: the kernel can't be launched so
    uint32_t waves = 0;  // on one unit
    uint32_t most_waves = 0;
    OccupancyLimit limit = OccupancyLimit::waves; // what stops another group from coming

    double share() const { return most_waves == 0 ? 0 : static_cast<double>(waves) / most_waves; }
};

// Of a GPU kernel that is launched with groups of `threads` and so many bytes of LDS beside what the kernel
// has itself. Scalar registers are left out: on AMD from RDNA on every wave has all it can address, on CDNA
// they bind only above 100. What the numbers come from is in targets.def.
Occupancy occupancy(const Target& target, const KernelResources& kernel, uint32_t threads,
                    uint32_t dynamic_memory);

} // namespace ingot::codegen
