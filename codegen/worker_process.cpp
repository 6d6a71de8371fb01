#include "codegen/worker_process.h"

#include <array>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <fcntl.h>
#include <spawn.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>
#include <vector>

#include <fmt/format.h>

#include "ir/error.h"

extern char** environ;

namespace ingot::codegen {

namespace {

void close_if_open(int& fd) {
    if (fd >= 0) close(fd);
    fd = -1;
}

std::filesystem::path new_scratch() {
    std::error_code failed;
    std::string name = (std::filesystem::temp_directory_path(failed) / "ingot-worker-XXXXXX").string();
    if (failed || mkdtemp(name.data()) == nullptr)
        throw ir::Error("compile worker",
                        fmt::format("{}: no folder for temporary files: {} (TMPDIR says where)", name,
                                    failed ? failed.message() : std::strerror(errno)));
    return name;
}

// This process's environment with other temporary files.
std::vector<std::string> environment(const std::filesystem::path& scratch) {
    std::vector<std::string> list{"TMPDIR=" + scratch.string()};
    for (char** entry = environ; *entry != nullptr; ++entry)
        if (!std::string_view(*entry).starts_with("TMPDIR=")) list.emplace_back(*entry);
    return list;
}

int spawn(const WorkerProgram& program, const std::filesystem::path& scratch, int in_out, int error,
          pid_t& pid) {
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, in_out, STDIN_FILENO);
    posix_spawn_file_actions_adddup2(&actions, in_out, STDOUT_FILENO);
    posix_spawn_file_actions_adddup2(&actions, error, STDERR_FILENO);
    std::string name = program.path.string(), argument = program.argument;
    char* const arguments[] = {name.data(), argument.empty() ? nullptr : argument.data(), nullptr};
    std::vector<std::string> variables = environment(scratch);
    std::vector<char*> pointers;
    for (std::string& v : variables)
        pointers.push_back(v.data());
    pointers.push_back(nullptr);
    const int result = posix_spawn(&pid, name.c_str(), &actions, nullptr, arguments, pointers.data());
    posix_spawn_file_actions_destroy(&actions);
    return result;
}

} // namespace

// What the first constructor leaves is whole, so the destructor frees it where this one throws.
WorkerProcess::WorkerProcess(const WorkerProgram& program, double timeout_seconds) : WorkerProcess() {
    scratch_ = new_scratch();
    int ends[2] = {-1, -1};
    stderr_ = memfd_create("worker-stderr", MFD_CLOEXEC);
    if (stderr_ < 0 || socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) != 0)
        throw ir::Error("compile worker", fmt::format("no socket: {}", std::strerror(errno)));
    socket_ = ends[0];
    const int failed = spawn(program, scratch_, ends[1], stderr_, pid_);
    close(ends[1]);
    if (failed != 0) {
        pid_ = -1;
        throw ir::Error(program.path.string(),
                        fmt::format("the compile worker can't be started: {}", std::strerror(failed)));
    }
    const auto message = read_message(socket_, timeout_seconds);
    const auto hello = message ? decode_hello(*message) : std::nullopt;
    if (!hello || hello->protocol != worker_protocol_version) {
        const std::string why = hello     ? std::string("it belongs to another build of ingot")
                                : message ? std::string("it is no compile worker of ingot")
                                          : reap(true) + printed();
        throw ir::Error(program.path.string(), fmt::format("the compile worker does not answer: {}", why));
    }
    if (!hello->problem.empty()) throw ir::Error({}, hello->problem);
    compiler_ = hello->compiler;
}

WorkerProcess::~WorkerProcess() {
    close_if_open(socket_); // an idle worker ends when its input does
    if (pid_ > 0) reap(true);
    close_if_open(stderr_);
    std::error_code ignored; // what is left lies among temporary files
    if (!scratch_.empty()) std::filesystem::remove_all(scratch_, ignored);
}

WorkerAnswer WorkerProcess::compile(const CompileRequest& request, double timeout_seconds) {
    const auto start = std::chrono::steady_clock::now();
    if (write_message(socket_, encode(request)))
        if (const auto message = read_message(socket_, timeout_seconds))
            if (auto reply = decode_reply(*message))
                return {.fault = WorkerFault::none, .reply = std::move(*reply), .message = {}};
    const double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
    if (timeout_seconds >= 0 && seconds >= timeout_seconds) {
        reap(true);
        return {.fault = WorkerFault::timed_out,
                .reply = {},
                .message = fmt::format("stopped after {:.0f} s{}", timeout_seconds, printed())};
    }
    const std::string how = reap(false);
    return {.fault = WorkerFault::crashed, .reply = {}, .message = how + printed()};
}

std::string WorkerProcess::reap(bool kill_it) {
    if (pid_ <= 0) return "gone";
    // What isn't killed has closed its end already and is about to exit; it gets a second to do so.
    int status = 0;
    pid_t ended = 0;
    for (int i = 0; i < 1000 && !kill_it && ended == 0; ++i) {
        ended = waitpid(pid_, &status, WNOHANG);
        if (ended == 0) usleep(1000);
    }
    if (ended == 0) {
        kill(pid_, SIGKILL);
        while (waitpid(pid_, &status, 0) < 0 && errno == EINTR) {
        }
    }
    pid_ = -1;
    if (WIFSIGNALED(status))
        return fmt::format("killed by signal {} ({})", WTERMSIG(status), strsignal(WTERMSIG(status)));
    return fmt::format("exited with status {}", WEXITSTATUS(status));
}

std::string WorkerProcess::printed() const {
    std::array<char, 4096> text{};
    const off_t size = lseek(stderr_, 0, SEEK_END);
    if (size <= 0) return {};
    const off_t begin = size > static_cast<off_t>(text.size()) ? size - static_cast<off_t>(text.size()) : 0;
    const ssize_t n = pread(stderr_, text.data(), text.size(), begin);
    return n <= 0 ? std::string()
                  : fmt::format("; it printed:\n{}", std::string_view(text.data(), static_cast<size_t>(n)));
}

} // namespace ingot::codegen
