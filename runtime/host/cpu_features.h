// Which host targets this processor runs.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace ingot::runtime {

// "x86-64-v4", "x86-64-v3", or "" for a processor that has neither. v4 here includes AVX-512 VNNI, as the
// target's row in codegen/targets.def does.
std::string best_host_target();

// Throws Error{target}: a target that is no host's, one that needs an instruction set that this processor (or
// its operating system) lacks, or another ABI than host_abi.h's. The message says what is missing and what to
// do.
void check_host_target(std::string_view target, std::uint32_t abi);

} // namespace ingot::runtime
