// What a compiled GPU kernel takes of its processor, as its code object says.
#pragma once

#include <cstdint>
#include <string_view>

#include "codegen/targets.h"

namespace ingot::codegen {

struct KernelResources {
    uint32_t registers = 0;        // vector registers of a lane; AMD: accumulation registers are among them
    uint32_t scalar_registers = 0; // AMD: of a wave
    uint32_t group_memory = 0;     // LDS (shared memory) whose size the compiler knew, bytes of a group
    uint32_t scratch = 0;       // private memory, bytes of a lane: spills, and arrays that are in no register
    uint32_t spills = 0;        // AMD: registers that were spilled, to scratch or to other registers;
                                // NVIDIA's objects don't tell spills from the rest of scratch
    uint32_t group_threads = 0; // most threads of a group that it may be launched with
    uint32_t argument_bytes = 0;
    bool operator==(const KernelResources&) const = default;
};

// Of the kernel `symbol`. AMD: the metadata note (LLVM, "User Guide for AMDGPU Backend", "Code Object V3 and
// Above Metadata"). NVIDIA: the sections .nv.info and .nv.shared of a cubin, whose attributes are those that
// cuobjdump --dump-elf names. Throws ir::Error where the object is of another machine, damaged, or has no
// such kernel.
KernelResources read_resources(const Target& target, std::string_view object, std::string_view symbol);

} // namespace ingot::codegen
