#include "tests/tools/process.h"

#include <algorithm>
#include <cstdlib>
#include <fcntl.h>
#include <fstream>
#include <spawn.h>
#include <stdexcept>
#include <sys/wait.h>
#include <unistd.h>

#include "runtime/host/cpu_features.h"

namespace ingot::tools::test {

namespace fs = std::filesystem;

namespace {

std::vector<char*> pointers(std::vector<std::string>& texts) {
    std::vector<char*> out;
    for (std::string& t : texts)
        out.push_back(t.data());
    out.push_back(nullptr);
    return out;
}

pid_t spawn(const std::string& program, std::vector<std::string> args, const fs::path& cache,
            std::vector<std::string> environment, const std::string& in, const std::string& out,
            const std::string& err) {
    args.insert(args.begin(), "ingot");
    environment.insert(environment.end(), {"XDG_CACHE_HOME=" + cache.string(), "HOME=/nonexistent"});
    if (const char* path = std::getenv("PATH")) environment.push_back(std::string("PATH=") + path);
    posix_spawn_file_actions_t files;
    posix_spawn_file_actions_init(&files);
    posix_spawn_file_actions_addopen(&files, STDIN_FILENO, in.c_str(), O_RDONLY, 0);
    posix_spawn_file_actions_addopen(&files, STDOUT_FILENO, out.c_str(), O_WRONLY | O_CREAT | O_TRUNC, 0600);
    posix_spawn_file_actions_addopen(&files, STDERR_FILENO, err.c_str(), O_WRONLY | O_CREAT | O_TRUNC, 0600);
    pid_t pid = -1;
    const int error = posix_spawn(&pid, program.c_str(), &files, nullptr, pointers(args).data(),
                                  pointers(environment).data());
    posix_spawn_file_actions_destroy(&files);
    if (error != 0) throw std::runtime_error(program + " does not start");
    return pid;
}

} // namespace

void Tool::SetUp() {
    std::string pattern = testing::TempDir() + "/ingot-tools-XXXXXX";
    ASSERT_NE(mkdtemp(pattern.data()), nullptr);
    folder = pattern;
    cache = folder / "cache";
}

void Tool::TearDown() {
    fs::remove_all(folder);
}

Ended Tool::ingot(const std::vector<std::string>& args, const std::string& input,
                  const std::string& out_path) const {
    const std::string in = folder / ".in", out = folder / ".out", err = folder / ".err";
    write_file(in, input);
    const pid_t pid = spawn(binary, args, cache, environment, in, out_path.empty() ? out : out_path, err);
    int status = 0;
    if (waitpid(pid, &status, 0) != pid) throw std::runtime_error("waitpid");
    return {.code = exit_code(status), .out = out_path.empty() ? read_file(out) : "", .err = read_file(err)};
}

pid_t Tool::start(const std::vector<std::string>& args) const {
    return spawn(binary, args, cache, environment, "/dev/null", "/dev/null", "/dev/null");
}

int exit_code(int wait_status) {
    return WIFSIGNALED(wait_status) ? -WTERMSIG(wait_status) : WEXITSTATUS(wait_status);
}

std::string read_file(const fs::path& path) {
    std::ifstream in(path, std::ios::binary);
    return {std::istreambuf_iterator<char>(in), {}};
}

void write_file(const fs::path& path, std::string_view bytes) {
    std::ofstream out(path, std::ios::binary | std::ios::trunc);
    out.write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
    if (!out.flush()) throw std::runtime_error("can't write " + path.string());
}

testing::AssertionResult fails_with(const Ended& ended, int code) {
    const bool one_line = std::ranges::count(ended.err, '\n') == 1 && ended.err.ends_with('\n');
    if (ended.code == code && one_line && ended.err.starts_with("ingot: error: ") && ended.out.empty())
        return testing::AssertionSuccess();
    return testing::AssertionFailure()
           << "exit code " << ended.code << " instead of " << code << "\nstderr: " << ended.err
           << "\nstdout: " << ended.out.substr(0, 500);
}

bool can_compile() {
    return fs::exists(INGOT_BINARY_DIR "/tools/ingot-worker") && !runtime::best_host_target().empty();
}

} // namespace ingot::tools::test
