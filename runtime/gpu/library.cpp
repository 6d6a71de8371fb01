#include "runtime/gpu/library.h"

#include <dlfcn.h>

#include <fmt/format.h>
#include <fmt/ranges.h>

namespace ingot::runtime {

Library::Library(const std::vector<std::string>& names) {
    std::string broken;
    for (const std::string& name : names) {
        handle_ = ::dlopen(name.c_str(), RTLD_NOW | RTLD_LOCAL | RTLD_NODELETE);
        if (handle_ != nullptr) {
            name_ = name;
            return;
        }
        const char* const words = ::dlerror();
        const std::string said = words == nullptr ? name : words;
        // glibc begins its words with the file at fault, which may be one that this library needs.
        if (broken.empty() && !said.starts_with(name + ": cannot open shared object file")) broken = said;
    }
    reason_ = broken.empty() ? fmt::format("there is no {}", fmt::join(names, " or "))
                             : fmt::format("its library does not load: {}", broken);
}

Library::~Library() {
    if (handle_ != nullptr) ::dlclose(handle_);
}

void* Library::find(const char* symbol) const {
    return ::dlsym(handle_, symbol);
}

} // namespace ingot::runtime
