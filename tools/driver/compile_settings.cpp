#include "tools/driver/compile_settings.h"

#include "codegen/kernel_cache.h"
#include "runtime/open_device.h"

namespace ingot::tools {

void default_target(CompileSettings& settings, const std::string& device) {
    if (settings.target.empty() && device != "host")
        settings.target = runtime::open_device(device)->info().target;
}

const codegen::Target& target_of(const CompileSettings& settings) {
    return settings.target.empty() ? codegen::machine_target() : codegen::target_from_name(settings.target);
}

std::optional<codegen::Compiler> compiler_of(const CompileSettings& settings) {
    if (settings.compiler.empty()) return std::nullopt;
    return codegen::compiler_from_name(settings.compiler);
}

std::filesystem::path cache_directory(const CompileSettings& settings) {
    return settings.cache.empty() ? codegen::default_cache_directory() : settings.cache;
}

} // namespace ingot::tools
