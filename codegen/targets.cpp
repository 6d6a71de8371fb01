#include "codegen/targets.h"

#include <algorithm>
#include <array>
#include <cstring>

#include <fmt/format.h>

#include "ir/error.h"

namespace ingot::codegen {

namespace {

constexpr std::array targets = {
#define TARGET(id, name, compiler, flags, features)                                                          \
    Target{name, Compiler::compiler, flags, features, name "|" #compiler "|" flags "|" features},
#include "codegen/targets.def"
#undef TARGET
};

std::vector<std::string> words(std::string_view text) {
    std::vector<std::string> out;
    for (size_t at = 0; at < text.size();) {
        const size_t end = std::min(text.find(' ', at), text.size());
        if (end > at) out.emplace_back(text.substr(at, end - at));
        at = end + 1;
    }
    return out;
}

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

bool machine_runs(const Target& target) {
    return missing_features(target).empty();
}

const Target& machine_target() {
    for (size_t i = targets.size(); i-- > 0;)
        if (machine_runs(targets[i])) return targets[i];
    throw ir::Error("this machine", fmt::format("it runs none of the host targets: {} needs {}",
                                                targets.front().name, missing_features(targets.front())));
}

std::vector<std::string> compiler_flags(const Target& target) {
    // Freestanding and without unwinding, so that a code object needs nothing; contraction into fused
    // multiply-adds is wanted, but NaN and infinity keep their meaning, which -ffast-math would take away.
    std::vector<std::string> flags = words(
        "--target=x86_64-unknown-linux-gnu -std=c++20 -O3 -ffreestanding -fPIC -fvisibility=hidden "
        "-ffunction-sections -fno-exceptions -fno-rtti -fno-asynchronous-unwind-tables -fno-stack-protector "
        "-fno-threadsafe-statics -ffp-contract=fast -fno-math-errno -fno-trapping-math -fomit-frame-pointer "
        "-Wall -Wno-psabi -Wno-pass-failed -Wno-unused-function -Wno-unused-variable");
    for (std::string& flag : words(target.flags))
        flags.push_back(std::move(flag));
    return flags;
}

} // namespace ingot::codegen
