#include "tools/driver/compile_settings.h"

#include "codegen/kernel_cache.h"

namespace ingot::tools {

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
