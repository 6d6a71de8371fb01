#include "runtime/host/cpu_features.h"

#include "runtime/error.h"
#include "runtime/host_abi.h"

#include <array>
#include <span>
#include <vector>

#include <fmt/format.h>

namespace ingot::runtime {
namespace {

struct Feature {
    const char* name;
    bool present;
};

// __builtin_cpu_supports also asks the operating system whether it keeps the wide registers (XCR0).
std::array<Feature, 4> features_of_v3() {
    __builtin_cpu_init();
    return {{{"AVX2", __builtin_cpu_supports("avx2") != 0},
             {"FMA", __builtin_cpu_supports("fma") != 0},
             {"F16C", __builtin_cpu_supports("f16c") != 0},
             {"BMI2", __builtin_cpu_supports("bmi2") != 0}}};
}

std::array<Feature, 6> features_of_v4() {
    __builtin_cpu_init();
    return {{{"AVX512F", __builtin_cpu_supports("avx512f") != 0},
             {"AVX512BW", __builtin_cpu_supports("avx512bw") != 0},
             {"AVX512DQ", __builtin_cpu_supports("avx512dq") != 0},
             {"AVX512VL", __builtin_cpu_supports("avx512vl") != 0},
             {"AVX512CD", __builtin_cpu_supports("avx512cd") != 0},
             {"AVX512_VNNI", __builtin_cpu_supports("avx512vnni") != 0}}};
}

std::string missing(std::span<const Feature> features) {
    std::string names;
    for (const Feature& f : features) {
        if (!f.present) names += (names.empty() ? "" : ", ") + std::string(f.name);
    }
    return names;
}

std::string missing_for(std::string_view target) {
    std::string base = missing(features_of_v3());
    if (target == "x86-64-v3" || !base.empty()) return base;
    return missing(features_of_v4());
}

} // namespace

std::string best_host_target() {
    for (const char* target : {"x86-64-v4", "x86-64-v3"}) {
        if (missing_for(target).empty()) return target;
    }
    return "";
}

void check_host_target(std::string_view target, std::uint32_t abi) {
    const std::string best = best_host_target();
    if (target != "x86-64-v3" && target != "x86-64-v4") {
        throw Error(Code::target, std::string(target),
                    fmt::format("the plan is not for this processor; compile with --target {}",
                                best.empty() ? "x86-64-v3" : best));
    }
    if (const std::string lacks = missing_for(target); !lacks.empty()) {
        throw Error(Code::target, std::string(target),
                    best.empty()
                        ? fmt::format("this processor lacks {}, which every host plan needs", lacks)
                        : fmt::format("this processor lacks {}; compile with --target {}", lacks, best));
    }
    if (abi != ingot_host::abi_version) {
        throw Error(
            Code::target, std::string(target),
            fmt::format("the plan's kernels have ABI {} and this build has {}; compile the model again", abi,
                        ingot_host::abi_version));
    }
}

} // namespace ingot::runtime
