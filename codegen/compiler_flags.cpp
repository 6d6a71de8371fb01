#include "codegen/compiler_flags.h"

#include <fmt/format.h>

#include "codegen/words.h"

namespace ingot::codegen {

namespace {

// Freestanding and without unwinding, so that a code object needs nothing; contraction into fused
// multiply-adds is wanted, but NaN and infinity keep their meaning, which -ffast-math would take away.
constexpr std::string_view host_flags =
    "-x c++ --target=x86_64-unknown-linux-gnu -std=c++20 -O3 -ffreestanding -fPIC -fvisibility=hidden "
    "-ffunction-sections -fno-exceptions -fno-rtti -fno-asynchronous-unwind-tables -fno-stack-protector "
    "-fno-threadsafe-statics -ffp-contract=fast -fno-math-errno -fno-trapping-math -fomit-frame-pointer "
    "-Wall -Wno-psabi -Wno-pass-failed -Wno-unused-function -Wno-unused-variable";

// What Clang 22 and hipRTC's Clang, which is that of the installed ROCm, both take.
constexpr std::string_view hip_flags =
    "-std=c++20 -O3 -DINGOT_AMDGCN -ffreestanding -fno-exceptions -fno-rtti -ffp-contract=fast "
    "-fno-math-errno -fno-trapping-math -Wall -Wno-unused-function -Wno-unused-variable";

// Version 4 of the code object format is the newest that every HIP from 5 on loads. A compilation unit has no
// identity of its own: equal sources shall give equal objects.
constexpr std::string_view clang_hip_flags =
    "-x hip --cuda-device-only -nogpuinc -nogpulib -fuse-cuid=none -mcode-object-version=4";

constexpr std::string_view cuda_flags = "-std=c++20 -DINGOT_NVPTX";

} // namespace

std::vector<std::string> compiler_flags(const Target& target, Compiler compiler) {
    if (!target.is_gpu()) return words(fmt::format("{} {}", host_flags, target.flags));
    const std::string_view arch = target.gpu->arch;
    switch (compiler) {
    case Compiler::llvm:
        return words(
            fmt::format("{} --offload-arch={} {} {}", clang_hip_flags, arch, hip_flags, target.flags));
    case Compiler::hiprtc:
        return words(fmt::format("--gpu-architecture={} {} {}", arch, hip_flags, target.flags));
    case Compiler::nvrtc:
        break;
    }
    return words(fmt::format("-arch={} {} {}", arch, cuda_flags, target.flags));
}

} // namespace ingot::codegen
