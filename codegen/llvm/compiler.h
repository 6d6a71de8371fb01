// Clang, LLVM and LLD in this process. Part of the compile worker only: `ingot` links none of it.
#pragma once

#include <string>

#include "codegen/worker_protocol.h"

namespace ingot::codegen {

// Clang's version and the build ids of the libraries that do the work, so that another build of the same
// version is another compiler to the kernel cache.
std::string llvm_build_id();

// Compiles one translation unit; nothing is read from the machine's files. Never throws for a bad source: the
// reply holds the diagnostics. LLVM may abort the process on an internal error.
CompileReply compile_with_llvm(const CompileRequest& request);

// The instructions of a code object as text, a line each with its address. An object of a machine that LLVM
// can't read, or a damaged one, gives a log.
CompileReply disassemble_with_llvm(const std::string& object);

// Links one relocatable object into a shared object that may refer to nothing outside itself.
CompileReply link_with_lld(const std::string& object);

} // namespace ingot::codegen
