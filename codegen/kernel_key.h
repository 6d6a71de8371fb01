// What a compiled kernel is known by.
#pragma once

#include <string>
#include <string_view>

#include "codegen/targets.h"
#include "codegen/worker_protocol.h"

namespace ingot::codegen {

// SHA-256, in hex, over everything that the machine code depends on, each part preceded by its length (u64,
// little endian) so that no two lists of parts run together:
//   "ingot kernel key 1", the source, the number of headers, each header's name and text (sorted by name),
//   the number of flags, the flags in order, the target's row, the compiler's build id, the ABI number
//   (host_abi.h) in decimal.
// The kernel's name is not among them: layers that compute the same share one kernel.
std::string kernel_key(const CompileRequest& request, const Target& target, std::string_view compiler);

// SHA-256 of some bytes: 32 bytes, and as 64 hex digits.
std::string sha256(std::string_view bytes);
std::string sha256_hex(std::string_view bytes);

} // namespace ingot::codegen
