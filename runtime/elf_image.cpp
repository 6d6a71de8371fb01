#include "runtime/elf_image.h"

#include "runtime/error.h"

#include <cstdint>
#include <cstring>

namespace ingot::runtime {

Elf64_Ehdr checked_elf(std::span<const std::byte> image, const std::string& name) {
    const auto fail = [&](const char* what) { throw Error(Code::bad_file, name, what); };
    const auto within = [&](std::uint64_t offset, std::uint64_t bytes) {
        return offset <= image.size() && bytes <= image.size() - offset;
    };
    Elf64_Ehdr header;
    if (image.size() < sizeof header) fail("the code object is too short");
    std::memcpy(&header, image.data(), sizeof header);
    if (std::memcmp(header.e_ident, ELFMAG, SELFMAG) != 0 || header.e_ident[EI_CLASS] != ELFCLASS64 ||
        header.e_ident[EI_DATA] != ELFDATA2LSB)
        fail("the code object is no ELF file of 64 bits");
    const auto each = [&](auto entry, std::uint64_t table, std::uint64_t entry_bytes, std::uint64_t count,
                          auto&& range) {
        if (count == 0) return;
        if (entry_bytes != sizeof entry || !within(table, count * sizeof entry))
            fail("the code object's tables lie outside of it");
        for (std::uint64_t i = 0; i < count; ++i) {
            std::memcpy(&entry, image.data() + table + i * sizeof entry, sizeof entry);
            const auto [offset, bytes] = range(entry);
            if (!within(offset, bytes)) fail("the code object is cut off");
        }
    };
    each(Elf64_Phdr{}, header.e_phoff, header.e_phentsize, header.e_phnum,
         [](const Elf64_Phdr& segment) { return std::pair(segment.p_offset, segment.p_filesz); });
    each(Elf64_Shdr{}, header.e_shoff, header.e_shentsize, header.e_shnum, [](const Elf64_Shdr& section) {
        return std::pair(section.sh_offset, section.sh_type == SHT_NOBITS ? 0 : section.sh_size);
    });
    return header;
}

} // namespace ingot::runtime
