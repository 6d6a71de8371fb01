// Machine code as text.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "codegen/worker_pool.h"

namespace ingot::codegen {

struct NamedObject {
    std::string kernel; // for messages
    std::string object;
};

// The instructions of code objects of the host and of AMD's GPUs, by LLVM, whichever compiler made them: a
// line each, with its address. Throws ir::Error naming the kernel for an object that LLVM can't read, such as
// NVIDIA's, and where there is no worker with LLVM. `options.compiler` is not looked at.
std::vector<std::string> disassemble(std::span<const NamedObject> objects, WorkerOptions options);

} // namespace ingot::codegen
