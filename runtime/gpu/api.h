// What the GPU device needs of a driver: a small table of entry points, named after HIP's. One file each
// loads the libraries that have them (cuda_api.cpp: NVIDIA's driver; hip_api.cpp: AMD's HIP runtime), and
// driver_api.h is what the two share.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

namespace ingot::runtime {

struct GpuFacts {
    std::string device; // as users call it: "cuda", "hip:1"
    std::string name;   // of the card
    std::string target; // row of codegen/targets.def: "sm_90", "gfx1100"
    unsigned units = 0; // compute units, multiprocessors
    std::uint64_t memory_bytes = 0;
    std::uint32_t threads_per_group = 0;
    std::uint32_t shared_bytes_per_group = 0;      // with what a kernel may opt in to
    std::array<std::uint32_t, 3> most_groups = {}; // of a launch, by dimension
};

// Handles are the driver's own. Every call that fails throws Error: device with `what` (the kernel, program
// or file at work) and the driver's words, or out_of_memory.
class GpuApi {
  public:
    using Handle = void*;

    virtual ~GpuApi() = default;
    virtual const GpuFacts& facts() const = 0;

    // Device memory and pinned host memory; null where there is none left.
    virtual void* allocate(std::uint64_t bytes) = 0;
    virtual void release(void* memory) noexcept = 0;
    virtual void* allocate_pinned(std::uint64_t bytes) = 0;
    virtual void release_pinned(void* memory) noexcept = 0;

    virtual Handle create_stream() = 0;
    virtual void destroy_stream(Handle stream) noexcept = 0;
    virtual void synchronize(Handle stream, const std::string& what) = 0;
    virtual Handle create_event() = 0;
    virtual void destroy_event(Handle event) noexcept = 0;
    virtual void record(Handle event, Handle stream) = 0;
    virtual void wait_for(Handle event, const std::string& what) = 0;

    virtual void set_zero(void* to, std::uint64_t bytes, Handle stream) = 0;
    // `from`, and `to` of copy_to_host, are pinned and stay as they are until the stream has come past.
    virtual void copy_to_device(void* to, const void* from, std::uint64_t bytes, Handle stream) = 0;
    virtual void copy_to_host(void* to, const void* from, std::uint64_t bytes, Handle stream) = 0;
    virtual void copy_within(void* to, const void* from, std::uint64_t bytes, Handle stream) = 0;

    virtual Handle load_module(std::span<const std::byte> object, const std::string& what) = 0;
    virtual void unload_module(Handle module) noexcept = 0;
    // Null where the module has no such kernel.
    virtual Handle find_kernel(Handle module, const std::string& symbol) = 0;
    // What its code asks for and bears.
    struct KernelLimits {
        std::uint32_t threads = 0;      // most of a group
        std::uint32_t shared_bytes = 0; // that it takes beside what a launch asks for
    };
    virtual KernelLimits limits_of(Handle kernel, const std::string& what) = 0;
    // Lets the kernel be launched with so much dynamic shared memory, while others run.
    virtual void prepare_kernel(Handle kernel, std::uint32_t shared_bytes, const std::string& what) = 0;

    struct Launch {
        Handle kernel = nullptr;
        std::array<std::uint32_t, 3> grid = {1, 1, 1};
        std::uint32_t threads = 1;
        std::uint32_t shared_bytes = 0;
        void** arguments = nullptr; // addresses of the arguments' values
        bool may_overlap = false; // the kernel itself waits for the one before it, where the card can do that
    };
    virtual void launch(const Launch& launch, Handle stream, const std::string& what) = 0;

    // What is put on the stream between the two becomes a graph that can be launched any number of times.
    virtual void begin_capture(Handle stream) = 0;
    virtual Handle end_capture(Handle stream, const std::string& what) = 0;
    // Ends a capture after a fault; what was captured is dropped.
    virtual void abandon_capture(Handle stream) noexcept = 0;
    virtual void launch_graph(Handle graph, Handle stream, const std::string& what) = 0;
    virtual void destroy_graph(Handle graph) noexcept = 0;
};

struct GpuOptions {
    unsigned index = 0; // among the cards that the driver shows; 0: the first, "cuda" or "hip"; 1: "hip:1"
    std::vector<std::string> libraries =
        {}; // for the loader, the preferred one first; empty: the vendor's own
};
// An NVIDIA card, and an AMD card. Each throws Error{unsupported} saying what is missing and what to install:
// the library, a version of it, a card.
std::shared_ptr<GpuApi> open_cuda_api(GpuOptions options = {});
std::shared_ptr<GpuApi> open_hip_api(GpuOptions options = {});

} // namespace ingot::runtime
