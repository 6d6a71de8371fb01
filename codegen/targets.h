// The machines that kernels can be compiled for (targets.def).
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "codegen/compilers.h"

namespace ingot::codegen {

enum class Machine : uint8_t { host, amdgcn, nvptx };

enum class Dot4 : uint8_t { sdot4, sudot4, dp4a };

// Each generation has instructions that the one before lacks, or lays its operands out in another way.
enum class Matrix : uint8_t {
    none,
    wmma_gfx11,
    wmma_gfx12,
    mfma_gfx90a,
    mfma_gfx942,
    mfma_gfx950,
    wgmma_sm90
};

// Columns of a GPU's row; targets.def says what they mean.
struct GpuFacts {
    std::string_view arch;
    uint32_t object;
    uint32_t wave, group_memory;
    Dot4 dot4;
    Matrix matrix;
    uint32_t simds, waves, registers, register_granule;
    uint32_t unit_memory, memory_granule, group_reserve, groups;
};

struct Target {
    std::string_view name;
    Machine machine = Machine::host;
    std::string_view compilers;  // names, the preferred one first
    std::string_view flags;      // of a host, as the row has them; of a GPU, its row as macros
    std::string_view features;   // of a host
    std::optional<GpuFacts> gpu; // of a GPU
    std::string_view row;        // the whole row as text; part of every kernel key

    bool is_gpu() const { return machine != Machine::host; }
};

std::span<const Target> all_targets();

// Throws ir::Error that lists the targets if there is none of that name.
const Target& target_from_name(std::string_view name);

// The compilers of a target, the preferred one first.
std::vector<Compiler> compilers_of(const Target& target);

// The best host target that this machine runs. Throws ir::Error naming the missing features if there is none.
const Target& machine_target();
// False for every GPU: that a device is there says the runtime.
bool machine_runs(const Target& target);

} // namespace ingot::codegen
