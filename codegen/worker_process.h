// One running compile worker (tools/worker), as its client sees it.
#pragma once

#include <filesystem>
#include <string>
#include <sys/types.h>

#include "codegen/worker_protocol.h"

namespace ingot::codegen {

// How a conversation with a worker ended, where it did not end with a reply.
enum class WorkerFault : uint8_t { none, crashed, timed_out };

struct WorkerAnswer {
    WorkerFault fault = WorkerFault::none;
    CompileReply reply;  // where there was no fault
    std::string message; // where there was: "killed by signal 11 (Segmentation fault)"; what it printed
};

struct WorkerProgram {
    std::filesystem::path path;
    std::string argument; // empty: none
};

// Owns the process, and a folder for its temporary files: the destructor ends and removes them. Not
// thread-safe; each thread has its own.
class WorkerProcess {
  public:
    // Starts the program and waits for its greeting. Throws ir::Error naming the program if it can't be
    // started, says something else, is of another build, or has no compiler.
    WorkerProcess(const WorkerProgram& program, double timeout_seconds);
    ~WorkerProcess();
    WorkerProcess(const WorkerProcess&) = delete;
    WorkerProcess& operator=(const WorkerProcess&) = delete;

    const std::string& compiler() const { return compiler_; }
    // After a fault the process is gone and this object of no more use.
    WorkerAnswer compile(const CompileRequest& request, double timeout_seconds);

  private:
    WorkerProcess() = default;
    // Ends the process and says how it ended.
    std::string reap(bool kill_it);
    std::string printed() const;

    pid_t pid_ = -1;
    int socket_ = -1;
    int stderr_ = -1; // a memory file
    // Compilers leave files where they are stopped, and hipRTC's does each time.
    std::filesystem::path scratch_;
    std::string compiler_;
};

} // namespace ingot::codegen
