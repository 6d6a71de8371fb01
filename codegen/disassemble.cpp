#include "codegen/disassemble.h"

namespace ingot::codegen {

std::vector<std::string> disassemble(std::span<const NamedObject> objects, WorkerOptions options) {
    options.compiler = Compiler::llvm;
    WorkerPool pool(std::move(options));
    std::vector<CompileRequest> requests;
    for (const NamedObject& o : objects)
        requests.push_back({.name = o.kernel,
                            .target = {},
                            .source = o.object,
                            .headers = {},
                            .flags = {},
                            .emit = Emit::disassembly});
    return pool.compile(requests);
}

} // namespace ingot::codegen
