#include "codegen/disassemble.h"

namespace ingot::codegen {

std::string disassemble(const std::string& kernel, const std::string& object, WorkerOptions options) {
    options.compiler = Compiler::llvm;
    options.workers = 1;
    WorkerPool pool(std::move(options));
    const CompileRequest request{.name = kernel,
                                 .target = {},
                                 .source = object,
                                 .headers = {},
                                 .flags = {},
                                 .emit = Emit::disassembly};
    return pool.compile({&request, 1}).front();
}

} // namespace ingot::codegen
