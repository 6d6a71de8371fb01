#include "codegen/code_object.h"

#include <algorithm>
#include <cstring>
#include <elf.h>
#include <optional>

#include "ir/error.h"

namespace ingot::codegen {

namespace {

constexpr uint16_t em_amdgpu = 224; // not in every elf.h
constexpr uint16_t em_cuda = 190;

[[noreturn]] void bad(const char* what) {
    throw ir::Error("code object", what);
}

template <typename T>
T read_at(std::string_view bytes, uint64_t at) {
    T value;
    if (at > bytes.size() || bytes.size() - at < sizeof value) bad("is cut short");
    std::memcpy(&value, bytes.data() + at, sizeof value);
    return value;
}

std::string_view range(std::string_view bytes, uint64_t offset, uint64_t size) {
    if (offset > bytes.size() || bytes.size() - offset < size) bad("has a section outside of the file");
    return bytes.substr(offset, size);
}

std::string_view text_at(std::string_view table, uint64_t at) {
    if (at >= table.size()) bad("has a name outside of its table");
    return table.substr(at, std::min(table.find('\0', at), table.size()) - at);
}

} // namespace

const ObjectSection* CodeObject::find(std::string_view section) const {
    const auto at = std::find_if(sections.begin(), sections.end(),
                                 [&](const ObjectSection& s) { return s.name == section; });
    return at == sections.end() ? nullptr : &*at;
}

CodeObject read_code_object(std::string_view bytes) {
    if (!bytes.starts_with(std::string_view(ELFMAG, SELFMAG))) bad("is no ELF file");
    const auto header = read_at<Elf64_Ehdr>(bytes, 0);
    if (header.e_ident[EI_CLASS] != ELFCLASS64 || header.e_ident[EI_DATA] != ELFDATA2LSB)
        bad("is no 64-bit little-endian ELF file");
    CodeObject object{.machine = header.e_machine, .flags = header.e_flags, .sections = {}};
    if (header.e_shnum == 0) return object;
    if (header.e_shentsize != sizeof(Elf64_Shdr)) bad("has section headers of another size");
    std::vector<Elf64_Shdr> headers;
    for (size_t i = 0; i < header.e_shnum; ++i) {
        const uint64_t at = i * sizeof(Elf64_Shdr); // below 4 MiB
        headers.push_back(read_at<Elf64_Shdr>(range(bytes, header.e_shoff, at + sizeof(Elf64_Shdr)), at));
    }
    if (header.e_shstrndx >= headers.size()) bad("names no table of section names");
    const Elf64_Shdr& names = headers[header.e_shstrndx];
    const std::string_view table = range(bytes, names.sh_offset, names.sh_size);
    for (const Elf64_Shdr& h : headers)
        object.sections.push_back({.name = text_at(table, h.sh_name),
                                   .type = h.sh_type,
                                   .link = h.sh_link,
                                   .info = h.sh_info,
                                   .size = h.sh_size,
                                   .bytes = h.sh_type == SHT_NOBITS || h.sh_type == SHT_NULL
                                                ? std::string_view()
                                                : range(bytes, h.sh_offset, h.sh_size)});
    return object;
}

bool is_object_for(const Target& target, std::string_view bytes) {
    if (!target.is_gpu()) return false;
    try {
        const CodeObject object = read_code_object(bytes);
        // The lowest byte of AMD's flags is the processor. NVIDIA's flags hold the architecture there, or, in
        // files of ABI version 8 (CUDA 13), in the byte above.
        if (object.machine == em_amdgpu)
            return target.machine == Machine::amdgcn && (object.flags & 0xff) == target.gpu->object;
        return object.machine == em_cuda && target.machine == Machine::nvptx &&
               ((object.flags & 0xff) == target.gpu->object ||
                (object.flags >> 8 & 0xff) == target.gpu->object);
    } catch (const ir::Error&) {
        return false;
    }
}

} // namespace ingot::codegen
