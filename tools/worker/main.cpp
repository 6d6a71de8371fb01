// ingot-worker: compiles kernels for `ingot`, one after the other, until its standard input ends. A program
// of its own, so that a crash in the compiler costs one kernel and `ingot` runs where no LLVM is installed.
#include <cstdio>
#include <string_view>
#include <unistd.h>

#include "codegen/llvm/compiler.h"
#include "codegen/worker_protocol.h"

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
    // Whatever the libraries print must not end up between the messages.
    const int replies = dup(STDOUT_FILENO);
    if (replies < 0 || dup2(STDERR_FILENO, STDOUT_FILENO) < 0) return 1;
    const WorkerHello hello{.protocol = std::string(worker_protocol_version), .compiler = llvm_build_id()};
    if (!write_message(replies, encode(hello))) return 1;
    while (const auto message = read_message(STDIN_FILENO)) {
        const auto request = decode_request(*message);
        if (!request) return 1;
        if (!write_message(replies, encode(compile_with_llvm(*request)))) return 1;
    }
    return 0;
}
