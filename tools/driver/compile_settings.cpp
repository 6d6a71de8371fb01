#include "tools/driver/compile_settings.h"

#include "codegen/kernel_cache.h"

namespace ingot::tools {

std::filesystem::path cache_directory(const CompileSettings& settings) {
    return settings.cache.empty() ? codegen::default_cache_directory() : settings.cache;
}

} // namespace ingot::tools
