// Compiles many kernels at once, in worker processes that are kept for the next ones.
#pragma once

#include <filesystem>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "codegen/compilers.h"
#include "codegen/worker_process.h"

namespace ingot::codegen {

struct WorkerOptions {
    Compiler compiler = Compiler::llvm;
    // Folder of the worker programs; empty: that of this executable, else ../libexec/ingot from there.
    std::filesystem::path folder;
    unsigned workers = 0;         // at most so many at once; 0: as many as this process may use cores
    double timeout_seconds = 120; // for one kernel
    // Where source, headers, flags and log of a failed kernel are kept; empty: nowhere.
    std::filesystem::path failures;
};

// The program that runs the options' compiler. Throws ir::Error saying where it was looked for.
WorkerProgram find_worker(const WorkerOptions& options);

class WorkerPool {
  public:
    // Starts one worker, so that a missing or broken compiler shows before any work. Throws ir::Error.
    explicit WorkerPool(WorkerOptions options);
    ~WorkerPool();
    WorkerPool(const WorkerPool&) = delete;
    WorkerPool& operator=(const WorkerPool&) = delete;

    Compiler kind() const { return options_.compiler; }
    // Build id, part of every kernel key.
    const std::string& compiler() const { return compiler_; }

    // The output of every request, in their order. `finished(done)` is called after each, one call at a time,
    // from other threads. Throws ir::Error{kernel's name} for the first that fails, crashes or takes too
    // long, with compiler, first diagnostic and the place of the whole log; the others are given up then.
    std::vector<std::string> compile(std::span<const CompileRequest> requests,
                                     const std::function<void(size_t done)>& finished = {});
    // The output, or nothing where the compiler refuses it, crashes or takes too long; no failure is kept.
    std::optional<std::string> try_compile(const CompileRequest& request);

  private:
    std::unique_ptr<WorkerProcess> take();
    void give_back(std::unique_ptr<WorkerProcess> worker);
    WorkerAnswer ask(const CompileRequest& request);
    std::string compile_one(const CompileRequest& request);
    std::string keep_failure(const CompileRequest& request, const std::string& log) const;

    WorkerOptions options_;
    WorkerProgram program_;
    std::string compiler_;
    std::mutex mutex_;
    std::vector<std::unique_ptr<WorkerProcess>> idle_;
};

} // namespace ingot::codegen
