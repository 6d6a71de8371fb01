#include "runtime/gpu/library.h"

#include <dlfcn.h>

namespace ingot::runtime {

Library::Library(const std::vector<std::string>& names) {
    for (const std::string& name : names) {
        handle_ = ::dlopen(name.c_str(), RTLD_NOW | RTLD_LOCAL);
        if (handle_ != nullptr) return;
        const char* const words = ::dlerror();
        reason_ = words == nullptr ? name + " can't be loaded" : words;
    }
}

Library::~Library() {
    if (handle_ != nullptr) ::dlclose(handle_);
}

void* Library::find(const char* symbol) const {
    return ::dlsym(handle_, symbol);
}

} // namespace ingot::runtime
