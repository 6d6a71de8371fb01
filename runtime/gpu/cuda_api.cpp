// NVIDIA's driver behind GpuApi. Its header is not at hand at a user's, so what is used of it beside
// driver_calls.def is declared here. Source: CUDA Driver API reference, version 12 and later (cuda.h's names,
// numbers and layouts).
#include "runtime/error.h"
#include "runtime/gpu/driver_api.h"

#include <fmt/format.h>

namespace ingot::runtime {
namespace {

// CUdevice_attribute
enum Attribute : int {
    max_threads_per_block = 1,
    max_grid_x = 5,
    max_grid_y = 6,
    max_grid_z = 7,
    multiprocessor_count = 16,
    compute_capability_major = 75,
    compute_capability_minor = 76,
    max_shared_memory_per_block_optin = 97,
};
constexpr int max_dynamic_shared_size_bytes = 8, preferred_shared_memory_carveout = 9; // CUfunction_attribute
constexpr int programmatic_stream_serialization = 6;                                   // CUlaunchAttributeID

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

class CudaApi final : public DriverApi {
  public:
    explicit CudaApi(const GpuOptions& options)
        : DriverApi({.family = Family::cuda,
                     .install = "install NVIDIA's driver",
                     .upgrade = "install a driver for CUDA 12.3 or later",
                     .no_card = "there is no NVIDIA card",
                     .enter = "cuCtxSetCurrent"},
                    options) {
        load(error_string_, "cuGetErrorString");
        load(context_retain_, "cuDevicePrimaryCtxRetain");
        load(context_release_, "cuDevicePrimaryCtxRelease_v2");
        load(context_set_, "cuCtxSetCurrent");
        load(function_set_, "cuFuncSetAttribute");
        load(launch_, "cuLaunchKernelEx");
        start();
        read_facts();
        call(device(), context_retain_, &context_, device_);
    }
    ~CudaApi() override { context_release_(device_); }
    CudaApi(const CudaApi&) = delete;
    CudaApi& operator=(const CudaApi&) = delete;

    void prepare_kernel(Handle kernel, std::uint32_t shared_bytes, const std::string& what) override {
        call_on_device(what, function_set_, kernel, max_dynamic_shared_size_bytes,
                       static_cast<int>(shared_bytes));
        // Percent of the memory that shared memory divides with the first-level cache. A multiprocessor
        // changes the division only when it is empty, so kernels that want different ones can't overlap.
        call(what, function_set_, kernel, preferred_shared_memory_carveout, 100);
    }

    void launch(const Launch& l, Handle stream, const std::string& what) override {
        LaunchAttribute overlap{.id = programmatic_stream_serialization, .padding = 0, .value = {}};
        overlap.value.number = 1;
        const LaunchConfig config{.grid = {l.grid[0], l.grid[1], l.grid[2]},
                                  .block = {l.threads, 1, 1},
                                  .shared_bytes = l.shared_bytes,
                                  .stream = stream,
                                  .attributes = &overlap,
                                  .attribute_count = l.may_overlap ? 1U : 0U};
        call_on_device(what, launch_, &config, l.kernel, l.arguments, nullptr);
    }

  private:
    // The driver keeps a current context for each thread.
    DriverResult enter() const override { return context_set_(context_); }
    std::string words(DriverResult r) const override {
        const char* text = nullptr;
        if (error_string_(r, &text) != 0 || text == nullptr) return fmt::format("error {}", r);
        return fmt::format("{} (error {})", text, r);
    }

    void read_facts() {
        char name[256] = {};
        call(device(), calls_.device_name, name, static_cast<int>(sizeof name - 1), device_);
        std::size_t bytes = 0;
        call(device(), calls_.device_memory, &bytes, device_);
        const auto number = [&](int which) { return static_cast<std::uint32_t>(attribute(which)); };
        facts_ = {.device = device(),
                  .name = name,
                  .target = fmt::format("sm_{}{}", attribute(compute_capability_major),
                                        attribute(compute_capability_minor)),
                  .units = number(multiprocessor_count),
                  .memory_bytes = bytes,
                  .threads_per_group = number(max_threads_per_block),
                  .shared_bytes_per_group = number(max_shared_memory_per_block_optin),
                  .most_groups = {number(max_grid_x), number(max_grid_y), number(max_grid_z)}};
    }

    DriverFunction<DriverResult(DriverResult, const char**)> error_string_;
    DriverFunction<DriverResult(void**, int)> context_retain_;
    DriverFunction<DriverResult(int)> context_release_;
    DriverFunction<DriverResult(void*)> context_set_;
    DriverFunction<DriverResult(void*, int, int)> function_set_;
    DriverFunction<DriverResult(const void* config, void*, void**, void**)> launch_;
    void* context_ = nullptr;
};

} // namespace

std::shared_ptr<GpuApi> open_cuda_api(GpuOptions options) {
    if (options.libraries.empty()) options.libraries = {"libcuda.so.1", "libcuda.so"};
    return std::make_shared<CudaApi>(options);
}

} // namespace ingot::runtime
