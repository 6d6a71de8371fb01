#include "codegen/worker_pool.h"

#include <algorithm>
#include <atomic>
#include <exception>
#include <fstream>
#include <sched.h>
#include <thread>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "codegen/kernel_key.h"
#include "ir/error.h"

namespace ingot::codegen {

namespace {

namespace fs = std::filesystem;

unsigned usable_cores() {
    cpu_set_t set;
    CPU_ZERO(&set);
    if (sched_getaffinity(0, sizeof set, &set) == 0)
        return static_cast<unsigned>(std::max(1, CPU_COUNT(&set)));
    return std::max(1U, std::thread::hardware_concurrency());
}

std::string first_line(const std::string& log) {
    // The first error says most; what stands above it are notes on includes.
    const size_t error = log.find("error");
    const size_t begin = error == log.npos ? 0 : log.rfind('\n', error) + 1;
    return log.substr(begin, log.find('\n', begin) - begin);
}

} // namespace

WorkerProgram find_worker(const WorkerOptions& options) {
    const bool llvm = options.compiler == Compiler::llvm;
    WorkerProgram program{.path = llvm ? "ingot-worker" : "ingot-worker-rtc",
                          .argument = llvm ? "" : std::string(compiler_name(options.compiler))};
    std::error_code error;
    std::vector<std::string> folders{options.folder.string()};
    if (options.folder.empty()) {
        const fs::path here = fs::read_symlink("/proc/self/exe", error).parent_path();
        folders = {here.string(), (here / "../libexec/ingot").lexically_normal().string()};
    }
    for (const fs::path folder : folders)
        if (fs::exists(folder / program.path, error)) {
            program.path = folder / program.path;
            return program;
        }
    throw ir::Error("compile worker",
                    fmt::format("there is no {} in {}; compiling needs it{}, running a plan does not",
                                program.path.string(), fmt::join(folders, " or "),
                                llvm ? " (and LLVM 22)" : ""));
}

WorkerPool::WorkerPool(WorkerOptions options)
    : options_(std::move(options)), program_(find_worker(options_)) {
    if (options_.workers == 0) options_.workers = usable_cores();
    auto first = std::make_unique<WorkerProcess>(program_, options_.timeout_seconds);
    compiler_ = first->compiler();
    idle_.push_back(std::move(first));
}

WorkerPool::~WorkerPool() = default;

std::unique_ptr<WorkerProcess> WorkerPool::take() {
    {
        const std::lock_guard lock(mutex_);
        if (!idle_.empty()) {
            auto worker = std::move(idle_.back());
            idle_.pop_back();
            return worker;
        }
    }
    auto worker = std::make_unique<WorkerProcess>(program_, options_.timeout_seconds);
    if (worker->compiler() != compiler_)
        throw ir::Error(program_.path.string(),
                        "the compiler was replaced while kernels were compiled; try again");
    return worker;
}

void WorkerPool::give_back(std::unique_ptr<WorkerProcess> worker) {
    const std::lock_guard lock(mutex_);
    idle_.push_back(std::move(worker));
}

WorkerAnswer WorkerPool::ask(const CompileRequest& request) {
    auto worker = take();
    WorkerAnswer answer = worker->compile(request, options_.timeout_seconds);
    if (answer.fault == WorkerFault::none) give_back(std::move(worker));
    return answer;
}

std::optional<std::string> WorkerPool::try_compile(const CompileRequest& request) {
    WorkerAnswer answer = ask(request);
    if (answer.fault != WorkerFault::none || !answer.reply.ok) return std::nullopt;
    return std::move(answer.reply.output);
}

std::string WorkerPool::compile_one(const CompileRequest& request) {
    WorkerAnswer answer = ask(request);
    const std::string where = fmt::format("kernel {}", request.name);
    const std::string compiler =
        fmt::format("{}{}{}", compiler_, request.target.empty() ? "" : ", for ", request.target);
    if (answer.fault == WorkerFault::timed_out)
        throw ir::Error(where, fmt::format("the compiler ({}) was {}{}", compiler, first_line(answer.message),
                                           keep_failure(request, answer.message)));
    if (answer.fault == WorkerFault::crashed)
        throw ir::Error(where, fmt::format("the compiler ({}) crashed: {}{}", compiler,
                                           answer.message.substr(0, answer.message.find(';')),
                                           keep_failure(request, answer.message)));
    if (!answer.reply.ok && request.emit == Emit::disassembly)
        throw ir::Error(
            where, fmt::format("its code can't be read ({}): {}", compiler, first_line(answer.reply.log)));
    if (!answer.reply.ok)
        throw ir::Error(where,
                        fmt::format("it does not compile ({}): {}{}", compiler, first_line(answer.reply.log),
                                    keep_failure(request, answer.reply.log)));
    return std::move(answer.reply.output);
}

std::string WorkerPool::keep_failure(const CompileRequest& request, const std::string& log) const {
    if (options_.failures.empty()) return {};
    std::string flags = options_.compiler == Compiler::llvm ? "-nostdinc -isystem include" : "";
    for (const std::string& flag : request.flags)
        flags += (flags.empty() ? "" : " ") + flag;
    const fs::path folder = options_.failures / sha256_hex(request.source + flags).substr(0, 16);
    std::error_code error;
    const auto write = [&](const fs::path& name, const std::string& text) {
        fs::create_directories((folder / name).parent_path(), error);
        std::ofstream(folder / name, std::ios::binary) << text;
    };
    write("kernel.cpp", request.source);
    write("flags.txt", flags + "\n");
    write("log.txt", fmt::format("kernel {}\ntarget {}\ncompiler {}\n{}\n", request.name, request.target,
                                 compiler_, log));
    for (const SourceFile& header : request.headers)
        write(fs::path("include") / header.name, header.text);
    return fmt::format("; source and log are in {}", folder.string());
}

std::vector<std::string> WorkerPool::compile(std::span<const CompileRequest> requests,
                                             const std::function<void(size_t)>& finished) {
    std::vector<std::string> outputs(requests.size());
    std::atomic<size_t> next{0};
    size_t done = 0;
    std::exception_ptr failure;
    std::mutex progress;
    const auto work = [&] {
        for (size_t i = next++; i < requests.size(); i = next++) {
            try {
                outputs[i] = compile_one(requests[i]);
                const std::lock_guard lock(progress);
                ++done;
                if (finished) finished(done);
            } catch (...) {
                const std::lock_guard lock(progress);
                if (!failure) failure = std::current_exception();
                next = requests.size();
            }
        }
    };
    {
        std::vector<std::jthread> threads;
        for (size_t i = 1; i < std::min<size_t>(options_.workers, requests.size()); ++i)
            threads.emplace_back(work);
        work();
    }
    if (failure) std::rethrow_exception(failure);
    return outputs;
}

} // namespace ingot::codegen
