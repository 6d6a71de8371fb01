// Bytes that say they are an ELF file, before a loader is given them.
#pragma once

#include <cstddef>
#include <elf.h>
#include <span>
#include <string>

namespace ingot::runtime {

// Loaders and drivers take for granted that the parts which an image's own tables name lie within it. Returns
// the header of an image of which that is true: 64 bits, little endian, tables, segments and sections within.
// Throws Error{bad_file} naming `name`.
Elf64_Ehdr checked_elf(std::span<const std::byte> image, const std::string& name);

} // namespace ingot::runtime
