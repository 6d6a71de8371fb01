// The part of GpuApi that is the same with HIP and with NVIDIA's driver (driver_calls.def).
#pragma once

#include "runtime/gpu/api.h"
#include "runtime/gpu/library.h"

#include <cstddef>
#include <string>
#include <vector>

namespace ingot::runtime {

using DriverResult = int; // 0: no error

// A function of the library, which errors name.
template <class F>
struct DriverFunction;
template <class... P>
struct DriverFunction<DriverResult(P...)> {
    DriverResult (*address)(P...) = nullptr;
    const char* name = "";
    DriverResult operator()(P... arguments) const { return address(arguments...); }
};

struct DriverCalls {
#define CALL(name, parameters, nvidia, amd) DriverFunction<DriverResult parameters> name;
#include "runtime/gpu/driver_calls.def"
#undef CALL
};

class DriverApi : public GpuApi {
  public:
    const GpuFacts& facts() const override { return facts_; }

    void* allocate(std::uint64_t bytes) override;
    void release(void* memory) noexcept override;
    void* allocate_pinned(std::uint64_t bytes) override;
    void release_pinned(void* memory) noexcept override;

    Handle create_stream() override;
    void destroy_stream(Handle stream) noexcept override;
    void synchronize(Handle stream, const std::string& what) override;
    Handle create_event() override;
    void destroy_event(Handle event) noexcept override;
    void record(Handle event, Handle stream) override;
    void wait_for(Handle event, const std::string& what) override;

    void set_zero(void* to, std::uint64_t bytes, Handle stream) override;
    void copy_to_device(void* to, const void* from, std::uint64_t bytes, Handle stream) override;
    void copy_to_host(void* to, const void* from, std::uint64_t bytes, Handle stream) override;
    void copy_within(void* to, const void* from, std::uint64_t bytes, Handle stream) override;

    Handle load_module(std::span<const std::byte> object, const std::string& what) override;
    void unload_module(Handle module) noexcept override;
    Handle find_kernel(Handle module, const std::string& symbol) override;
    KernelLimits limits_of(Handle kernel, const std::string& what) override;

    void begin_capture(Handle stream) override;
    Handle end_capture(Handle stream, const std::string& what) override;
    void abandon_capture(Handle stream) noexcept override;
    void launch_graph(Handle graph, Handle stream, const std::string& what) override;
    void destroy_graph(Handle graph) noexcept override;

  protected:
    enum class Family { cuda, hip };
    struct Names {
        Family family;
        std::string install; // ends the message where there is no library
        std::string upgrade; // ends the message where a function is missing
        std::string no_card; // the message where there is no card
        const char* enter;   // the function behind enter()
    };

    // Loads the library. Throws Error{unsupported} where it is missing, broken or too old.
    DriverApi(Names names, const GpuOptions& options);

    // As users call it: the `where` of errors.
    const std::string& device() const { return device_name_; }
    // Starts the driver and takes the device of the index. Throws Error{unsupported} where the driver doesn't
    // start or shows not so many.
    void start();
    // Throws Error{unsupported}: there is no such device here.
    [[noreturn]] void absent(const std::string& message) const;
    // Throws Error{unsupported} where the library lacks it.
    void* find(const char* function) const;
    template <class F>
    void load(DriverFunction<F>& function, const char* name) const {
        function = {.address = reinterpret_cast<F*>(find(name)), .name = name};
    }
    bool has(const char* function) const { return library_.find(function) != nullptr; }
    // Throws Error{out_of_memory} or Error{device} with the function's name where it fails.
    template <class... P, class... A>
    void call(const std::string& what, const DriverFunction<DriverResult(P...)>& function,
              A... arguments) const {
        check(function(arguments...), what, function.name);
    }
    // The same on the device in use.
    template <class... P, class... A>
    void call_on_device(const std::string& what, const DriverFunction<DriverResult(P...)>& function,
                        A... arguments) const {
        use(what);
        call(what, function, arguments...);
    }
    int attribute(int which) const; // of the device in use

    // Makes the device the current one of the calling thread, as drivers want it.
    virtual DriverResult enter() const = 0;
    // The driver's words for an error.
    virtual std::string words(DriverResult result) const = 0;

    int device_ = 0;
    GpuFacts facts_;

  private:
    void use(const std::string& what) const; // enter(), checked
    // Throws Error{out_of_memory} or Error{device} unless `result` is 0.
    void check(DriverResult result, const std::string& what, const char* function) const;

    Names names_;
    unsigned index_ = 0;
    std::string device_name_;
    Library library_;

  protected:
    DriverCalls calls_;
};

} // namespace ingot::runtime
