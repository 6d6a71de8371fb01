// ingot-worker: compiles kernels for `ingot` with LLVM, one after the other, until its standard input ends. A
// program of its own, so that a crash in the compiler costs one kernel and `ingot` runs where no LLVM is
// installed.
#include <cstdio>
#include <string_view>
#include <unistd.h>

#include "codegen/llvm/compiler.h"
#include "codegen/worker_service.h"

using namespace ingot::codegen;

int main(int argc, char** argv) {
    if (argc == 2 && std::string_view(argv[1]) == "--version") {
        std::printf("%s\n", llvm_build_id().c_str());
        return 0;
    }
    if (argc != 1 || isatty(STDIN_FILENO) != 0) {
        std::fprintf(
            stderr,
            "usage: ingot-worker [--version]\nStarted by ingot, which sends it kernels to compile.\n");
        return 2;
    }
    const WorkerService service;
    return service.run({.protocol = std::string(worker_protocol_version), .compiler = llvm_build_id()},
                       compile_with_llvm);
}
