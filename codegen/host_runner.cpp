#include "codegen/host_runner.h"

#include <algorithm>
#include <cstring>
#include <dlfcn.h>
#include <memory>
#include <new>
#include <sched.h>
#include <sys/mman.h>
#include <thread>
#include <unistd.h>

#include <fmt/format.h>

#include "codegen/operand_forms.h"
#include "ir/error.h"
#include "runtime/host_abi.h"

namespace ingot::codegen {

using namespace ir;

namespace {

constexpr size_t alignment = 64;
constexpr size_t guard_bytes = 256;
constexpr std::byte guard{0xa5};

// A shared object in memory, loaded.
class Code {
  public:
    explicit Code(const CompiledKernel& kernel) {
        const int fd = memfd_create("kernel", MFD_CLOEXEC);
        const bool written = fd >= 0 && write(fd, kernel.object.data(), kernel.object.size()) ==
                                            static_cast<ssize_t>(kernel.object.size());
        if (written) handle_ = dlopen(fmt::format("/proc/self/fd/{}", fd).c_str(), RTLD_NOW | RTLD_LOCAL);
        const char* why = written ? dlerror() : "no memory file";
        if (fd >= 0) close(fd);
        void* symbol = handle_ != nullptr ? dlsym(handle_, kernel.symbol.c_str()) : nullptr;
        if (symbol == nullptr)
            throw Error(fmt::format("kernel {}", kernel.name),
                        fmt::format("its code does not load: {}", why != nullptr ? why : "no such symbol"));
        std::memcpy(&entry, &symbol, sizeof entry);
    }
    ~Code() {
        if (handle_ != nullptr) dlclose(handle_);
    }
    Code(const Code&) = delete;
    Code& operator=(const Code&) = delete;

    ingot_host::Kernel entry = nullptr;

  private:
    void* handle_ = nullptr;
};

// Aligned memory with a guard behind it.
class Buffer {
  public:
    explicit Buffer(std::span<const std::byte> content) : Buffer(content.size(), std::byte{0}) {
        std::memcpy(memory_.get(), content.data(), content.size());
    }
    Buffer(size_t bytes, std::byte fill)
        : bytes_(bytes),
          memory_(static_cast<std::byte*>(::operator new(bytes + guard_bytes, std::align_val_t(alignment)))) {
        std::memset(memory_.get(), std::to_integer<int>(fill), bytes);
        std::memset(memory_.get() + bytes, std::to_integer<int>(guard), guard_bytes);
    }
    std::span<std::byte> data() const { return {memory_.get(), bytes_}; }
    bool intact() const {
        return std::all_of(memory_.get() + bytes_, memory_.get() + bytes_ + guard_bytes,
                           [](std::byte b) { return b == guard; });
    }

  private:
    struct Free {
        void operator()(std::byte* p) const { ::operator delete(p, std::align_val_t(alignment)); }
    };
    size_t bytes_;
    std::unique_ptr<std::byte, Free> memory_;
};

void call_on_threads(const Code& code, const std::vector<void*>& operands, const std::vector<int32_t>& dims,
                     unsigned threads) {
    ingot_host::Team team{.arrived = 0, .phase = 0, .threads = threads, .relax = [] { sched_yield(); }};
    const auto work = [&](uint32_t thread) {
        const ingot_host::Call call{.operand = operands.data(),
                                    .dims = dims.data(),
                                    .team = &team,
                                    .thread = thread,
                                    .threads = threads,
                                    .next = nullptr};
        code.entry(&call);
    };
    std::vector<std::jthread> others;
    for (uint32_t i = 1; i < threads; ++i)
        others.emplace_back(work, i);
    work(0);
}

} // namespace

std::vector<Tensor> run_host_kernel(const CompiledKernel& kernel, const KernelSource& source,
                                    const Graph& body, const KernelRun& run) {
    const Code code(kernel);
    std::vector<int32_t> dims;
    for (const Symbol& s : body.symbols)
        dims.push_back(static_cast<int32_t>(run.symbols.at(s.name)));
    const Target& target = machine_target(); // all hosts keep values alike

    std::vector<Buffer> buffers; // params, then results, then the workspace
    std::vector<void*> operands;
    for (size_t i = 0; i < body.params.size(); ++i)
        buffers.emplace_back(memory_form(body.type(body.params[i]), run.inputs[i], body.symbols, target));
    for (const ValueId v : body.results)
        buffers.emplace_back(max_bytes(body.type(v), body.symbols), std::byte{0xff});
    if (source.workspace_bytes > 0) buffers.emplace_back(source.workspace_bytes, std::byte{0});
    for (const Buffer& b : buffers)
        operands.push_back(b.data().data());

    call_on_threads(code, operands, dims, run.threads);
    for (size_t i = 0; i < buffers.size(); ++i)
        if (!buffers[i].intact())
            throw Error(fmt::format("kernel {}", kernel.name),
                        fmt::format("it wrote past the end of operand {}", i));

    std::vector<Tensor> results;
    const std::vector<size_t> places = memory_of_results(body);
    for (size_t i = 0; i < body.results.size(); ++i) {
        const Type& type = body.type(body.results[i]);
        results.push_back(
            logical_form(type, dims_of(type, dims), buffers[places[i]].data(), body.symbols, target));
    }
    return results;
}

} // namespace ingot::codegen
