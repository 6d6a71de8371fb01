#include "codegen/llvm/compiler.h"

#include <cerrno>
#include <cstring>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <lld/Common/Driver.h>

LLD_HAS_DRIVER(elf)

namespace ingot::codegen {

namespace {

// A file without a name: LLD wants paths, and the worker writes nothing to the disk.
class MemoryFile {
  public:
    explicit MemoryFile(const char* name) : fd_(memfd_create(name, MFD_CLOEXEC)) {}
    ~MemoryFile() {
        if (fd_ >= 0) close(fd_);
    }
    MemoryFile(const MemoryFile&) = delete;
    MemoryFile& operator=(const MemoryFile&) = delete;

    int descriptor() const { return fd_; }
    std::string path() const { return "/proc/self/fd/" + std::to_string(fd_); }

    bool write(const std::string& bytes) const {
        size_t done = 0;
        while (fd_ >= 0 && done < bytes.size()) {
            const ssize_t n = ::write(fd_, bytes.data() + done, bytes.size() - done);
            if (n < 0 && errno == EINTR) continue;
            if (n <= 0) return false;
            done += static_cast<size_t>(n);
        }
        return fd_ >= 0;
    }

    bool read(std::string& bytes) const {
        struct stat status{};
        if (fd_ < 0 || fstat(fd_, &status) != 0) return false;
        bytes.resize(static_cast<size_t>(status.st_size));
        size_t done = 0;
        while (done < bytes.size()) {
            const ssize_t n = pread(fd_, bytes.data() + done, bytes.size() - done, static_cast<off_t>(done));
            if (n < 0 && errno == EINTR) continue;
            if (n <= 0) return false;
            done += static_cast<size_t>(n);
        }
        return true;
    }

  private:
    int fd_;
};

// Sends what this process writes to its standard output into `file` while it lives.
class RedirectedOutput {
  public:
    explicit RedirectedOutput(const MemoryFile& file) : saved_(dup(STDOUT_FILENO)) {
        llvm::outs().flush();
        ok_ = saved_ >= 0 && dup2(file.descriptor(), STDOUT_FILENO) >= 0;
    }
    ~RedirectedOutput() {
        llvm::outs().flush();
        if (saved_ < 0) return;
        dup2(saved_, STDOUT_FILENO);
        close(saved_);
    }
    RedirectedOutput(const RedirectedOutput&) = delete;
    RedirectedOutput& operator=(const RedirectedOutput&) = delete;
    bool ok() const { return ok_; }

  private:
    int saved_;
    bool ok_ = false;
};

} // namespace

CompileReply link_with_lld(const std::string& object) {
    CompileReply reply;
    const MemoryFile input("object"), output("code");
    if (!input.write(object)) {
        reply.log = std::string("no memory file for the linker: ") + std::strerror(errno) + "\n";
        return reply;
    }
    // LLD writes a named output beside its final place and renames it, which only a real folder can do;
    // standard output it writes as it is.
    const std::string input_path = input.path();
    const char* const arguments[] = {"ld.lld",
                                     "-shared",
                                     "-nostdlib",
                                     "--no-undefined",
                                     "--gc-sections",
                                     "--strip-all",
                                     "--build-id=none",
                                     "--hash-style=gnu",
                                     "--threads=1",
                                     "-z",
                                     "now",
                                     "-o",
                                     "-",
                                     input_path.c_str()};
    llvm::raw_string_ostream log(reply.log);
    int status = 1;
    {
        const RedirectedOutput redirected(output);
        if (redirected.ok())
            status = lld::lldMain(arguments, log, log, {{lld::Gnu, &lld::elf::link}}).retCode;
    }
    reply.ok = status == 0 && output.read(reply.output) && !reply.output.empty();
    return reply;
}

} // namespace ingot::codegen
