#include "codegen/occupancy.h"

#include <algorithm>
#include <cassert>

namespace ingot::codegen {

namespace {

uint64_t round_up(uint64_t value, uint64_t granule) {
    return (value + granule - 1) / granule * granule;
}

} // namespace

Occupancy occupancy(const Target& target, const KernelResources& kernel, uint32_t threads,
                    uint32_t dynamic_memory) {
    assert(target.is_gpu() && "hosts have no occupancy");
    const GpuFacts& gpu = *target.gpu;
    Occupancy out{.most_waves = gpu.simds * gpu.waves};
    const uint64_t memory = uint64_t{kernel.group_memory} + dynamic_memory;
    if (threads == 0 || threads > kernel.group_threads || memory > gpu.group_memory) return out;
    const uint64_t waves_of_group = (uint64_t{threads} + gpu.wave - 1) / gpu.wave;
    const auto tighten = [&](uint64_t groups, OccupancyLimit limit) {
        if (groups >= out.groups) return;
        out.groups = static_cast<uint32_t>(groups);
        out.limit = limit;
    };
    out.groups = static_cast<uint32_t>(out.most_waves / waves_of_group);
    // A wave keeps its registers on one SIMD.
    const uint64_t registers =
        std::max<uint64_t>(round_up(kernel.registers, gpu.register_granule), gpu.register_granule);
    tighten(gpu.registers / registers * gpu.simds / waves_of_group, OccupancyLimit::registers);
    const uint64_t taken = round_up(memory + gpu.group_reserve, gpu.memory_granule);
    if (taken > 0) tighten(gpu.unit_memory / taken, OccupancyLimit::group_memory);
    // AMD's groups of one wave need no barrier, which is what there are so few of.
    if (waves_of_group > 1 || target.machine == Machine::nvptx) tighten(gpu.groups, OccupancyLimit::groups);
    out.waves = static_cast<uint32_t>(out.groups * waves_of_group);
    return out;
}

} // namespace ingot::codegen
