#include "runtime/host/shared_object.h"

#include "runtime/elf_image.h"
#include "runtime/error.h"

#include <cerrno>
#include <cstring>

#include <dlfcn.h>
#include <fmt/format.h>
#include <sys/mman.h>

namespace ingot::runtime {

SharedObject::SharedObject(std::span<const std::byte> object, const std::string& name) {
    const Elf64_Ehdr header = checked_elf(object, name);
    if (header.e_machine != EM_X86_64 || header.e_type != ET_DYN)
        throw Error(Code::bad_file, name, "the code object is not an x86-64 shared object");
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
