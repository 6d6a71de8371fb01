// A compile worker for builds under ThreadSanitizer: runs this build's own compiler with the sanitizer on, so
// that kernels are watched too. (Accesses of more than 16 bytes are beyond the sanitizer.)
#include "codegen/worker_service.h"

#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>

#include <unistd.h>

using namespace ingot::codegen;
namespace fs = std::filesystem;

namespace {

void write_file(const fs::path& path, const std::string& text) {
    fs::create_directories(path.parent_path());
    std::ofstream(path, std::ios::binary) << text;
}

std::string read_file(const fs::path& path) {
    std::ostringstream text;
    text << std::ifstream(path, std::ios::binary).rdbuf();
    return text.str();
}

CompileReply compile(const CompileRequest& request) {
    std::string folder = (fs::temp_directory_path() / "ingot-kernel-XXXXXX").string();
    if (mkdtemp(folder.data()) == nullptr) return {.ok = false, .output = {}, .log = "no temporary folder"};
    const fs::path root = folder;
    write_file(root / "kernel.cpp", request.source);
    for (const SourceFile& header : request.headers)
        write_file(root / "include" / header.name, header.text);
    std::string command =
        INGOT_TEST_COMPILER " -x c++ -nostdinc -isystem '" + (root / "include").string() + "'";
    for (const std::string& flag : request.flags)
        command += " '" + flag + "'";
    command += " -g -fsanitize=" INGOT_TEST_SANITIZE " -shared -nostdlib '" + (root / "kernel.cpp").string() +
               "' -o '" + (root / "kernel.so").string() + "' >'" + (root / "log").string() + "' 2>&1";
    CompileReply reply;
    reply.ok = request.emit == Emit::object && std::system(command.c_str()) == 0;
    if (reply.ok) reply.output = read_file(root / "kernel.so");
    reply.log = read_file(root / "log");
    fs::remove_all(root);
    return reply;
}

} // namespace

int main() {
    const WorkerService service;
    return service.run({.protocol = std::string(worker_protocol_version),
                        .compiler = INGOT_TEST_COMPILER " -fsanitize=" INGOT_TEST_SANITIZE},
                       compile);
}
