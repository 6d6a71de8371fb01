#include "tests/standin/code.h"

#include <dlfcn.h>
#include <elf.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <cstdint>
#include <cstring>

namespace ingot::standin {
namespace {

constexpr std::uint16_t machine_amdgpu = 224, machine_cuda = 190;

std::size_t size_of(const Elf64_Ehdr& header, const unsigned char* bytes) {
    std::size_t size = header.e_shoff + std::size_t{header.e_shentsize} * header.e_shnum;
    for (unsigned i = 0; i < header.e_shnum; ++i) {
        Elf64_Shdr section;
        std::memcpy(&section, bytes + header.e_shoff + i * sizeof section, sizeof section);
        if (section.sh_type != SHT_NOBITS)
            size = std::max<std::size_t>(size, section.sh_offset + section.sh_size);
    }
    return size;
}

std::set<std::string> functions_of(const Elf64_Ehdr& header, const unsigned char* bytes) {
    std::set<std::string> names;
    const auto section_at = [&](unsigned i) {
        Elf64_Shdr section;
        std::memcpy(&section, bytes + header.e_shoff + i * sizeof section, sizeof section);
        return section;
    };
    for (unsigned i = 0; i < header.e_shnum; ++i) {
        const Elf64_Shdr table = section_at(i);
        if (table.sh_type != SHT_SYMTAB && table.sh_type != SHT_DYNSYM) continue;
        const Elf64_Shdr strings = section_at(table.sh_link);
        for (std::size_t at = 0; at + sizeof(Elf64_Sym) <= table.sh_size; at += sizeof(Elf64_Sym)) {
            Elf64_Sym symbol;
            std::memcpy(&symbol, bytes + table.sh_offset + at, sizeof symbol);
            if (ELF64_ST_TYPE(symbol.st_info) == STT_FUNC)
                names.emplace(reinterpret_cast<const char*>(bytes + strings.sh_offset + symbol.st_name));
        }
    }
    return names;
}

void* open_object(const unsigned char* bytes, std::size_t size) {
    const int file = ::memfd_create("kernels", MFD_CLOEXEC);
    if (file < 0) return nullptr;
    void* object = nullptr;
    if (::write(file, bytes, size) == static_cast<ssize_t>(size))
        object = ::dlopen(("/proc/self/fd/" + std::to_string(file)).c_str(), RTLD_NOW | RTLD_LOCAL);
    ::close(file);
    return object;
}

} // namespace

std::unique_ptr<Code> Code::load(const void* image) {
    const auto* const bytes = static_cast<const unsigned char*>(image);
    Elf64_Ehdr header;
    if (std::memcmp(bytes, ELFMAG, SELFMAG) != 0 || bytes[EI_CLASS] != ELFCLASS64) return nullptr;
    std::memcpy(&header, bytes, sizeof header);
    std::unique_ptr<Code> code(new Code);
    if (header.e_machine == EM_X86_64) {
        code->object_ = open_object(bytes, size_of(header, bytes));
        return code->object_ == nullptr ? nullptr : std::move(code);
    }
    if (header.e_machine != machine_amdgpu && header.e_machine != machine_cuda) return nullptr;
    code->functions_ = functions_of(header, bytes);
    return code;
}

Code::~Code() {
    if (object_ != nullptr) ::dlclose(object_);
}

const Kernel* Code::find(const std::string& name) {
    const auto known = std::ranges::find_if(kernels_, [&](const auto& k) { return k->name == name; });
    if (known != kernels_.end()) return known->get();
    Kernel kernel{.name = name};
    if (object_ != nullptr) {
        kernel.run = reinterpret_cast<HostKernel>(::dlsym(object_, name.c_str()));
        const void* const arguments = ::dlsym(object_, (name + "_arguments").c_str());
        if (kernel.run == nullptr || arguments == nullptr) return nullptr;
        kernel.arguments = static_cast<const char*>(arguments);
    } else if (!functions_.contains(name)) {
        return nullptr;
    }
    kernels_.push_back(std::make_unique<Kernel>(std::move(kernel)));
    return kernels_.back().get();
}

} // namespace ingot::standin
