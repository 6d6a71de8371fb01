// NVIDIA's driver behind GpuApi. Its header is not at hand at a user's, so what is used of it is declared
// here. Source: CUDA Driver API reference, version 12 and later (cuda.h's names, numbers and layouts).
#include "runtime/gpu/api.h"

#include "runtime/error.h"
#include "runtime/gpu/library.h"

#include <fmt/format.h>

namespace ingot::runtime {
namespace {

using Result = int;
using DevicePointer = unsigned long long;
constexpr Result out_of_memory = 2;
constexpr Result not_found = 500;

// CUdevice_attribute
enum Attribute : int {
    max_threads_per_block = 1,
    multiprocessor_count = 16,
    compute_capability_major = 75,
    compute_capability_minor = 76,
    max_shared_memory_per_block_optin = 97,
};
constexpr int max_dynamic_shared_size_bytes = 8;     // CUfunction_attribute
constexpr int programmatic_stream_serialization = 6; // CUlaunchAttributeID
constexpr int capture_relaxed = 2;                   // CUstreamCaptureMode
constexpr unsigned disable_timing = 2;               // CUevent_flags
constexpr unsigned non_blocking = 1;                 // CUstream_flags

struct LaunchAttribute {
    int id;
    int padding;
    union {
        char bytes[64];
        int number;
    } value;
};
struct LaunchConfig {
    unsigned grid[3], block[3], shared_bytes;
    void* stream;
    LaunchAttribute* attributes;
    unsigned attribute_count;
};

// Every function that is used: return type Result, but for the last two words its name in the library.
struct Functions {
    Result (*init)(unsigned);
    Result (*driver_version)(int*);
    Result (*error_string)(Result, const char**);
    Result (*device_count)(int*);
    Result (*device_get)(int*, int);
    Result (*device_name)(char*, int, int);
    Result (*device_attribute)(int*, int, int);
    Result (*device_memory)(std::size_t*, int);
    Result (*context_retain)(void**, int);
    Result (*context_release)(int);
    Result (*context_set)(void*);
    Result (*mem_alloc)(DevicePointer*, std::size_t);
    Result (*mem_free)(DevicePointer);
    Result (*host_alloc)(void**, std::size_t, unsigned);
    Result (*host_free)(void*);
    Result (*stream_create)(void**, unsigned);
    Result (*stream_destroy)(void*);
    Result (*stream_synchronize)(void*);
    Result (*event_create)(void**, unsigned);
    Result (*event_destroy)(void*);
    Result (*event_record)(void*, void*);
    Result (*event_synchronize)(void*);
    Result (*memset)(DevicePointer, unsigned char, std::size_t, void*);
    Result (*copy_to_device)(DevicePointer, const void*, std::size_t, void*);
    Result (*copy_to_host)(void*, DevicePointer, std::size_t, void*);
    Result (*copy_within)(DevicePointer, DevicePointer, std::size_t, void*);
    Result (*module_load)(void**, const void*);
    Result (*module_unload)(void*);
    Result (*module_function)(void**, void*, const char*);
    Result (*function_set)(void*, int, int);
    Result (*launch)(const LaunchConfig*, void*, void**, void**);
    Result (*capture_begin)(void*, int);
    Result (*capture_end)(void*, void**);
    Result (*graph_instantiate)(void**, void*, unsigned long long);
    Result (*graph_launch)(void*, void*);
    Result (*graph_destroy)(void*);
    Result (*graph_exec_destroy)(void*);
};

DevicePointer number(const void* p) {
    return reinterpret_cast<DevicePointer>(p);
}

[[noreturn]] void absent(const std::string& message) {
    throw Error(Code::unsupported, "cuda", message);
}

Functions load(const Library& library) {
    Functions f{};
    const auto find = [&](auto& function, const char* name) {
        function = reinterpret_cast<std::remove_reference_t<decltype(function)>>(library.find(name));
        if (function == nullptr)
            absent(fmt::format("the driver lacks {}; one for CUDA 12.3 or later is needed", name));
    };
    find(f.init, "cuInit");
    find(f.driver_version, "cuDriverGetVersion");
    find(f.error_string, "cuGetErrorString");
    find(f.device_count, "cuDeviceGetCount");
    find(f.device_get, "cuDeviceGet");
    find(f.device_name, "cuDeviceGetName");
    find(f.device_attribute, "cuDeviceGetAttribute");
    find(f.device_memory, "cuDeviceTotalMem_v2");
    find(f.context_retain, "cuDevicePrimaryCtxRetain");
    find(f.context_release, "cuDevicePrimaryCtxRelease_v2");
    find(f.context_set, "cuCtxSetCurrent");
    find(f.mem_alloc, "cuMemAlloc_v2");
    find(f.mem_free, "cuMemFree_v2");
    find(f.host_alloc, "cuMemHostAlloc");
    find(f.host_free, "cuMemFreeHost");
    find(f.stream_create, "cuStreamCreate");
    find(f.stream_destroy, "cuStreamDestroy_v2");
    find(f.stream_synchronize, "cuStreamSynchronize");
    find(f.event_create, "cuEventCreate");
    find(f.event_destroy, "cuEventDestroy_v2");
    find(f.event_record, "cuEventRecord");
    find(f.event_synchronize, "cuEventSynchronize");
    find(f.memset, "cuMemsetD8Async");
    find(f.copy_to_device, "cuMemcpyHtoDAsync_v2");
    find(f.copy_to_host, "cuMemcpyDtoHAsync_v2");
    find(f.copy_within, "cuMemcpyDtoDAsync_v2");
    find(f.module_load, "cuModuleLoadData");
    find(f.module_unload, "cuModuleUnload");
    find(f.module_function, "cuModuleGetFunction");
    find(f.function_set, "cuFuncSetAttribute");
    find(f.launch, "cuLaunchKernelEx");
    find(f.capture_begin, "cuStreamBeginCapture_v2");
    find(f.capture_end, "cuStreamEndCapture");
    find(f.graph_instantiate, "cuGraphInstantiateWithFlags");
    find(f.graph_launch, "cuGraphLaunch");
    find(f.graph_destroy, "cuGraphDestroy");
    find(f.graph_exec_destroy, "cuGraphExecDestroy");
    return f;
}

class CudaApi final : public GpuApi {
  public:
    CudaApi() : library_({"libcuda.so.1", "libcuda.so"}) {
        if (!library_) absent("NVIDIA's driver is not installed: " + library_.reason());
        f_ = load(library_);
        if (const Result r = f_.init(0); r != 0) absent("the driver does not start: " + words(r));
        int count = 0;
        if (f_.device_count(&count) != 0 || count == 0) absent("there is no NVIDIA card");
        check(f_.device_get(&device_, 0), "cuda");
        check(f_.context_retain(&context_, device_), "cuda");
        read_facts();
    }
    ~CudaApi() override { f_.context_release(device_); }
    CudaApi(const CudaApi&) = delete;
    CudaApi& operator=(const CudaApi&) = delete;

    const GpuFacts& facts() const override { return facts_; }

    void* allocate(std::uint64_t bytes) override {
        enter();
        DevicePointer p = 0;
        const Result r = f_.mem_alloc(&p, bytes);
        if (r == out_of_memory) return nullptr;
        check(r, "cuda");
        return reinterpret_cast<void*>(p);
    }
    void release(void* memory) noexcept override {
        f_.context_set(context_);
        f_.mem_free(number(memory));
    }
    void* allocate_pinned(std::uint64_t bytes) override {
        enter();
        void* p = nullptr;
        const Result r = f_.host_alloc(&p, bytes, 0);
        if (r == out_of_memory) return nullptr;
        check(r, "cuda");
        return p;
    }
    void release_pinned(void* memory) noexcept override {
        f_.context_set(context_);
        f_.host_free(memory);
    }

    Handle create_stream() override {
        enter();
        Handle stream = nullptr;
        check(f_.stream_create(&stream, non_blocking), "cuda");
        return stream;
    }
    void destroy_stream(Handle stream) noexcept override { f_.stream_destroy(stream); }
    void synchronize(Handle stream, const std::string& what) override {
        check(f_.stream_synchronize(stream), what);
    }
    Handle create_event() override {
        enter();
        Handle event = nullptr;
        check(f_.event_create(&event, disable_timing), "cuda");
        return event;
    }
    void destroy_event(Handle event) noexcept override { f_.event_destroy(event); }
    void record(Handle event, Handle stream) override { check(f_.event_record(event, stream), "cuda"); }
    void wait_for(Handle event, const std::string& what) override {
        check(f_.event_synchronize(event), what);
    }

    void set_zero(void* to, std::uint64_t bytes, Handle stream) override {
        enter();
        check(f_.memset(number(to), 0, bytes, stream), "cuda");
    }
    void copy_to_device(void* to, const void* from, std::uint64_t bytes, Handle stream) override {
        enter();
        check(f_.copy_to_device(number(to), from, bytes, stream), "cuda");
    }
    void copy_to_host(void* to, const void* from, std::uint64_t bytes, Handle stream) override {
        enter();
        check(f_.copy_to_host(to, number(from), bytes, stream), "cuda");
    }
    void copy_within(void* to, const void* from, std::uint64_t bytes, Handle stream) override {
        enter();
        check(f_.copy_within(number(to), number(from), bytes, stream), "cuda");
    }

    Handle load_module(std::span<const std::byte> object, const std::string& what) override {
        enter();
        Handle module = nullptr;
        if (const Result r = f_.module_load(&module, object.data()); r != 0)
            throw Error(Code::bad_file, what, "its code can't be loaded: " + words(r));
        return module;
    }
    void unload_module(Handle module) noexcept override {
        f_.context_set(context_);
        f_.module_unload(module);
    }
    Handle find_kernel(Handle module, const std::string& symbol) override {
        enter();
        Handle kernel = nullptr;
        const Result r = f_.module_function(&kernel, module, symbol.c_str());
        if (r == not_found) return nullptr;
        check(r, symbol);
        return kernel;
    }
    void allow_shared_bytes(Handle kernel, std::uint32_t bytes, const std::string& what) override {
        enter();
        check(f_.function_set(kernel, max_dynamic_shared_size_bytes, static_cast<int>(bytes)), what);
    }

    void launch(const Launch& l, Handle stream, const std::string& what) override {
        enter();
        LaunchAttribute overlap{.id = programmatic_stream_serialization, .padding = 0, .value = {}};
        overlap.value.number = 1;
        const LaunchConfig config{.grid = {l.grid[0], l.grid[1], l.grid[2]},
                                  .block = {l.threads, 1, 1},
                                  .shared_bytes = l.shared_bytes,
                                  .stream = stream,
                                  .attributes = &overlap,
                                  .attribute_count = l.may_overlap ? 1U : 0U};
        check(f_.launch(&config, l.kernel, l.arguments, nullptr), what);
    }

    void begin_capture(Handle stream) override {
        enter();
        check(f_.capture_begin(stream, capture_relaxed), "cuda");
    }
    Handle end_capture(Handle stream, const std::string& what) override {
        Handle graph = nullptr, executable = nullptr;
        check(f_.capture_end(stream, &graph), what);
        const Result r = f_.graph_instantiate(&executable, graph, 0);
        f_.graph_destroy(graph);
        check(r, what);
        return executable;
    }
    void abandon_capture(Handle stream) noexcept override {
        Handle graph = nullptr;
        if (f_.capture_end(stream, &graph) == 0 && graph != nullptr) f_.graph_destroy(graph);
    }
    void launch_graph(Handle graph, Handle stream, const std::string& what) override {
        enter();
        check(f_.graph_launch(graph, stream), what);
    }
    void destroy_graph(Handle graph) noexcept override { f_.graph_exec_destroy(graph); }

  private:
    std::string words(Result r) const {
        const char* text = nullptr;
        if (f_.error_string(r, &text) != 0 || text == nullptr) return fmt::format("error {}", r);
        return fmt::format("{} (error {})", text, r);
    }
    void check(Result r, const std::string& what) const {
        if (r == 0) return;
        throw Error(r == out_of_memory ? Code::out_of_memory : Code::device, what, words(r));
    }
    // The driver keeps a current context for each thread.
    void enter() const { check(f_.context_set(context_), "cuda"); }

    int attribute(int which) const {
        int value = 0;
        check(f_.device_attribute(&value, which, device_), "cuda");
        return value;
    }
    void read_facts() {
        char name[256] = {};
        check(f_.device_name(name, sizeof name - 1, device_), "cuda");
        std::size_t bytes = 0;
        check(f_.device_memory(&bytes, device_), "cuda");
        facts_ = {.name = name,
                  .target = fmt::format("sm_{}{}", attribute(compute_capability_major),
                                        attribute(compute_capability_minor)),
                  .units = static_cast<unsigned>(attribute(multiprocessor_count)),
                  .memory_bytes = bytes,
                  .threads_per_group = static_cast<std::uint32_t>(attribute(max_threads_per_block)),
                  .shared_bytes_per_group =
                      static_cast<std::uint32_t>(attribute(max_shared_memory_per_block_optin))};
    }

    Library library_;
    Functions f_{};
    int device_ = 0;
    void* context_ = nullptr;
    GpuFacts facts_;
};

} // namespace

std::shared_ptr<GpuApi> open_cuda_api() {
    return std::make_shared<CudaApi>();
}

} // namespace ingot::runtime
