#include "codegen/targets.h"

#include <algorithm>
#include <array>
#include <cstring>

#include <fmt/format.h>

#include "codegen/words.h"
#include "ir/error.h"

namespace ingot::codegen {

namespace {

constexpr std::array targets = {
#define HOST_TARGET(name, flags, features)                                                                   \
    Target{name, Machine::host, "llvm", flags, features, std::nullopt, name "|" flags "|" features},
#define GPU_TARGET(name, machine, compilers, arch, object, wave, group_memory, dot4, matrix, ...)            \
    Target{name,                                                                                             \
           Machine::machine,                                                                                 \
           compilers,                                                                                        \
           "-DINGOT_WAVE=" #wave " -DINGOT_GROUP_MEMORY=" #group_memory " -DINGOT_DOT4_" #dot4               \
           " -DINGOT_MATRIX_" #matrix,                                                                       \
           "",                                                                                               \
           GpuFacts{arch, object, wave, group_memory, Dot4::dot4, Matrix::matrix, __VA_ARGS__},              \
           name "|" #machine "|" arch "|" #wave "|" #group_memory "|" #dot4 "|" #matrix},
#include "codegen/targets.def"
#undef HOST_TARGET
#undef GPU_TARGET
};

// __builtin_cpu_supports takes literals only.
bool machine_has(std::string_view feature) {
#define FEATURE(name)                                                                                        \
    if (feature == name) return __builtin_cpu_supports(name) != 0;
    FEATURE("avx2")
    FEATURE("fma")
    FEATURE("bmi")
    FEATURE("bmi2")
    FEATURE("popcnt")
    FEATURE("avx512f")
    FEATURE("avx512bw")
    FEATURE("avx512cd")
    FEATURE("avx512dq")
    FEATURE("avx512vl")
    FEATURE("avx512vnni")
    FEATURE("f16c")
#undef FEATURE
    return false;
}

std::string missing_features(const Target& target) {
    std::string missing;
    for (const std::string& feature : words(target.features))
        if (!machine_has(feature)) missing += (missing.empty() ? "" : " ") + feature;
    return missing;
}

} // namespace

std::span<const Target> all_targets() {
    return targets;
}

const Target& target_from_name(std::string_view name) {
    std::string known;
    for (const Target& target : targets) {
        if (target.name == name) return target;
        known += fmt::format("{}{}", known.empty() ? "" : ", ", target.name);
    }
    throw ir::Error(fmt::format("target {}", name),
                    fmt::format("there is no such target; there are {}", known));
}

std::vector<Compiler> compilers_of(const Target& target) {
    std::vector<Compiler> compilers;
    for (const std::string& name : words(target.compilers))
        compilers.push_back(compiler_from_name(name));
    return compilers;
}

bool machine_runs(const Target& target) {
    return !target.is_gpu() && missing_features(target).empty();
}

const Target& machine_target() {
    for (size_t i = targets.size(); i-- > 0;)
        if (machine_runs(targets[i])) return targets[i];
    throw ir::Error("this machine", fmt::format("it runs none of the host targets: {} needs {}",
                                                targets.front().name, missing_features(targets.front())));
}

} // namespace ingot::codegen
