// A compiled kernel's file, as far as it says something of the kernel: ELF, of AMD's or NVIDIA's GPUs or the
// host.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "codegen/targets.h"

namespace ingot::codegen {

struct ObjectSection {
    std::string_view name;
    uint32_t type = 0, link = 0, info = 0; // sh_type, sh_link, sh_info
    uint64_t size = 0;                     // in memory
    std::string_view bytes;                // in the file; empty where it has none there
};

// Views into the bytes that it was read from.
struct CodeObject {
    uint16_t machine = 0; // e_machine
    uint32_t flags = 0;   // e_flags
    std::vector<ObjectSection> sections;

    const ObjectSection* find(std::string_view section) const;
};

// Any bytes may be given: what is no ELF file of 64 bits, or points outside of itself, is an ir::Error.
CodeObject read_code_object(std::string_view bytes);

// Whether the bytes are an object for exactly this GPU.
bool is_object_for(const Target& target, std::string_view bytes);

} // namespace ingot::codegen
