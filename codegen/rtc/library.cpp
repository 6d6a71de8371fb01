#include "codegen/rtc/library.h"

#include <dlfcn.h>
#include <unistd.h>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "ir/error.h"

namespace ingot::codegen {

Library::Library(std::string_view what, const LibrarySearch& search) {
    std::string broken; // what the loader said of the first library that is there but can't be used
    const auto load = [&](const std::string& path) {
        handle_ = dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL);
        if (handle_ != nullptr && find(std::string(search.needs)) == nullptr) handle_ = nullptr;
        if (handle_ == nullptr && broken.empty() && access(path.c_str(), F_OK) == 0) {
            const char* const error = dlerror();
            broken = error != nullptr ? error : "unknown error";
        }
        return handle_ != nullptr;
    };
    for (const std::string_view name : search.names) {
        if (load(std::string(name))) return;
        for (const std::string_view folder : search.folders)
            if (load(fmt::format("{}/{}", folder, name))) return;
    }
    if (!broken.empty()) throw ir::Error(std::string(what), fmt::format("can't be loaded: {}", broken));
    throw ir::Error(std::string(what),
                    fmt::format("is not installed: there is no {} in the loader's path or {}; {}",
                                fmt::join(search.names, ", "), fmt::join(search.folders, ", "),
                                search.advice));
}

void* Library::find(const std::string& symbol) const {
    return dlsym(handle_, symbol.c_str());
}

} // namespace ingot::codegen
