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

#include "ir/effects.h"
#include "ir/error.h"
#include "runtime/host_abi.h"
#include "runtime/packing.h"

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

// [pages, heads, positions, channels] with the last two exchanged, either way.
void exchange_positions(Element element, std::span<const int64_t> dims, bool to_device,
                        std::span<const std::byte> from, std::span<std::byte> to) {
    const auto width = info(element).block_bytes;
    const auto positions = static_cast<size_t>(dims[2]), channels = static_cast<size_t>(dims[3]);
    const size_t matrices = static_cast<size_t>(dims[0] * dims[1]);
    for (size_t m = 0; m < matrices; ++m)
        for (size_t p = 0; p < positions; ++p)
            for (size_t ch = 0; ch < channels; ++ch) {
                const size_t row = (m * positions + p) * channels + ch,
                             col = (m * channels + ch) * positions + p;
                std::memcpy(&to[(to_device ? col : row) * width], &from[(to_device ? row : col) * width],
                            width);
            }
}

Buffer device_form(const Type& type, const Tensor& t, std::span<const Symbol> symbols) {
    Buffer out(max_bytes(type, symbols), std::byte{0});
    if (type.layout == Layout::rows) {
        std::memcpy(out.data().data(), t.data.data(), std::min(t.data.size(), out.data().size()));
    } else if (type.layout == Layout::kv_channels) {
        exchange_positions(type.element, t.dims, true, t.data, out.data());
    } else {
        const runtime::PackSource source{.data = t.data, .rows = static_cast<uint64_t>(t.dims[0])};
        const runtime::PackJob job{.element = info(type.element).text,
                                   .layout = text(type.layout),
                                   .cols = static_cast<uint64_t>(t.dims[1]),
                                   .sources = {&source, 1}};
        runtime::pack_units(job, 0, runtime::check_packing(job).units, out.data());
    }
    return out;
}

Tensor logical_form(const Type& type, std::vector<int64_t> dims, std::span<const std::byte> data) {
    Tensor t = Tensor::zeros(type.element, std::move(dims));
    if (type.layout == Layout::kv_channels)
        exchange_positions(type.element, t.dims, false, data, t.mutable_data());
    else
        std::memcpy(t.mutable_data().data(), data.data(), t.data.size());
    return t;
}

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
                                    const Graph& body, const HostRun& run) {
    const Code code(kernel);
    std::vector<int32_t> dims;
    for (const Symbol& s : body.symbols)
        dims.push_back(static_cast<int32_t>(run.symbols.at(s.name)));
    const auto size = [&](Dim d) { return d.is_symbol() ? int64_t{dims[d.symbol_index()]} : d.constant(); };

    std::vector<Buffer> buffers; // params, then results, then the workspace
    std::vector<void*> operands;
    for (size_t i = 0; i < body.params.size(); ++i)
        buffers.push_back(device_form(body.type(body.params[i]), run.inputs[i], body.symbols));
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
    for (size_t i = 0; i < body.results.size(); ++i) {
        const Type& type = body.type(body.results[i]);
        std::vector<int64_t> sizes;
        for (const Dim d : type.dims)
            sizes.push_back(size(d));
        // A cache is changed in its place among the params.
        const ValueId root = storage_root(body, body.results[i]);
        const auto param = std::find(body.params.begin(), body.params.end(), root);
        const size_t at = param != body.params.end() ? static_cast<size_t>(param - body.params.begin())
                                                     : body.params.size() + i;
        results.push_back(logical_form(type, sizes, buffers[at].data()));
    }
    return results;
}

} // namespace ingot::codegen
