#include "runtime/host/shared_object.h"

#include "runtime/error.h"

#include <cerrno>
#include <cstring>

#include <dlfcn.h>
#include <elf.h>
#include <fmt/format.h>
#include <sys/mman.h>

namespace ingot::runtime {
namespace {

// What the loader takes for granted: it maps segments without asking whether the file has them, and a read
// past the end of a mapped file kills the process.
void check_object(std::span<const std::byte> object, const std::string& name) {
    const auto fail = [&](const char* what) { throw Error(Code::bad_file, name, what); };
    Elf64_Ehdr header;
    if (object.size() < sizeof header) fail("the code object is too short");
    std::memcpy(&header, object.data(), sizeof header);
    if (std::memcmp(header.e_ident, ELFMAG, SELFMAG) != 0 || header.e_ident[EI_CLASS] != ELFCLASS64 ||
        header.e_ident[EI_DATA] != ELFDATA2LSB || header.e_machine != EM_X86_64 || header.e_type != ET_DYN) {
        fail("the code object is not an x86-64 shared object");
    }
    const std::uint64_t table_bytes = std::uint64_t{header.e_phnum} * sizeof(Elf64_Phdr);
    if (header.e_phentsize != sizeof(Elf64_Phdr) || header.e_phoff > object.size() ||
        table_bytes > object.size() - header.e_phoff) {
        fail("the code object's segments lie outside of it");
    }
    for (std::size_t i = 0; i < header.e_phnum; ++i) {
        Elf64_Phdr segment;
        std::memcpy(&segment, object.data() + header.e_phoff + i * sizeof segment, sizeof segment);
        if (segment.p_type != PT_LOAD && segment.p_type != PT_DYNAMIC) continue;
        if (segment.p_offset > object.size() || segment.p_filesz > object.size() - segment.p_offset)
            fail("the code object is cut off");
    }
}

} // namespace

SharedObject::SharedObject(std::span<const std::byte> object, const std::string& name) {
    check_object(object, name);
    file_ = Descriptor(::memfd_create(name.substr(0, 200).c_str(), MFD_CLOEXEC));
    if (!file_) {
        throw Error(Code::device, name, fmt::format("no memory file for its code: {}", std::strerror(errno)));
    }
    write_at(file_.get(), 0, object, name);
    handle_ = ::dlopen(fmt::format("/proc/self/fd/{}", file_.get()).c_str(), RTLD_NOW | RTLD_LOCAL);
    if (handle_ == nullptr) {
        const char* reason = ::dlerror();
        throw Error(
            Code::bad_file, name,
            fmt::format("its code can't be loaded: {}", reason == nullptr ? "no reason given" : reason));
    }
}

SharedObject::~SharedObject() {
    if (handle_ != nullptr) ::dlclose(handle_);
}

void* SharedObject::find(const std::string& symbol) const {
    return ::dlsym(handle_, symbol.c_str());
}

} // namespace ingot::runtime
