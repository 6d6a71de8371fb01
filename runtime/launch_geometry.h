// How many threads a kernel of a GPU runs on.
#pragma once

#include <array>
#include <cstdint>

namespace ingot::runtime {

// How a GPU's kernels are called: raised when that changes.
inline constexpr std::uint32_t gpu_abi_version = 1;

// One dimension of a launch's grid: count * ceil(symbol / divisor) workgroups, or just `count`.
struct GridDim {
    std::uint32_t count = 1;
    std::int32_t symbol = -1; // index among the program's symbols; -1: none
    std::uint32_t divisor = 1;
    bool operator==(const GridDim&) const = default;
};

struct LaunchGeometry {
    std::uint32_t threads = 0;      // of a workgroup, one-dimensional
    std::uint32_t shared_bytes = 0; // dynamic LDS or shared memory of a workgroup
    // At most so many workgroups a compute unit along the first dimension, for kernels whose workgroups stay
    // and share the work; 0: as many as the grid says.
    std::uint32_t groups_per_unit = 0;
    std::array<GridDim, 3> grid;
    bool operator==(const LaunchGeometry&) const = default;
};

} // namespace ingot::runtime
