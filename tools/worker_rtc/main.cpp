// ingot-worker-rtc: compiles kernels for `ingot` with the run-time compiler of an installed HIP or CUDA, one
// after the other, until its standard input ends. A program of its own, because hipRTC 5.2.3 corrupts the
// heap of its process when it doesn't know the target, and apart from ingot-worker, so that it needs no LLVM.
#include <cstdio>
#include <string_view>
#include <unistd.h>

#include "codegen/rtc/runtime_compiler.h"
#include "codegen/worker_service.h"
#include "ir/error.h"

using namespace ingot;
using namespace ingot::codegen;

int main(int argc, char** argv) {
    const std::string_view name = argc >= 2 ? argv[1] : "";
    const bool version = argc == 3 && std::string_view(argv[2]) == "--version";
    if ((name != "hiprtc" && name != "nvrtc") || (argc != 2 && !version) ||
        (!version && isatty(STDIN_FILENO) != 0)) {
        std::fprintf(stderr, "usage: ingot-worker-rtc hiprtc|nvrtc [--version]\n"
                             "Started by ingot, which sends it kernels to compile.\n");
        return 2;
    }
    // A compiler may look for headers in the current folder; there shall be none.
    if (chdir("/") != 0) return 1;
    try {
        if (version) {
            std::printf("%s\n", RuntimeCompiler(compiler_from_name(name)).build_id().c_str());
            return 0;
        }
        const WorkerService service;
        WorkerHello hello{.protocol = std::string(worker_protocol_version), .compiler = {}, .problem = {}};
        try {
            const RuntimeCompiler compiler(compiler_from_name(name));
            hello.compiler = compiler.build_id();
            return service.run(hello, [&](const CompileRequest& r) { return compiler.compile(r); });
        } catch (const ir::Error& e) {
            hello.problem = e.what();
            return service.run(hello, {});
        }
    } catch (const ir::Error& e) {
        std::fprintf(stderr, "ingot-worker-rtc: %s\n", e.what());
        return 1;
    }
}
