// Machine code as text.
#pragma once

#include <string>

#include "codegen/worker_pool.h"

namespace ingot::codegen {

// The instructions of the host's and AMD's code objects, by LLVM, whichever compiler made them: a line each,
// with its address. Throws ir::Error naming the kernel for an object that LLVM can't read, such as NVIDIA's,
// and where there is no worker with LLVM. `options.compiler` is not looked at.
std::string disassemble(const std::string& kernel, const std::string& object, WorkerOptions options);

} // namespace ingot::codegen
