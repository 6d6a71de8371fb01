#include "runtime/gpu/driver_api.h"

#include "runtime/elf_image.h"
#include "runtime/error.h"

#include <algorithm>
#include <array>

#include <fmt/format.h>

namespace ingot::runtime {
namespace {

// The numbers of both families.
constexpr DriverResult out_of_memory = 2, no_device = 100, invalid_device = 101, not_found = 500;
// What a module can't be loaded for that is its own fault, and not the device's: the image is invalid, of no
// use on this card, in a form that the driver doesn't know, or incomplete.
constexpr std::array<DriverResult, 8> faults_of_modules = {200, 209, 218, 222, 300, 301, 302, 303};
constexpr unsigned non_blocking = 1;                            // of a stream: it waits for no other
constexpr unsigned disable_timing = 2;                          // of an event
constexpr int capture_relaxed = 2;                              // other threads go on as they like
constexpr int max_threads_per_block = 0, shared_size_bytes = 1; // attributes of a kernel

} // namespace

DriverApi::DriverApi(Names names, const GpuOptions& options)
    : names_(std::move(names)), index_(options.index),
      device_name_(fmt::format("{}{}", names_.family == Family::cuda ? "cuda" : "hip",
                               index_ == 0 ? "" : fmt::format(":{}", index_))),
      library_(options.libraries) {
    if (!library_) absent(fmt::format("{}; {}", library_.reason(), names_.install));
#define CALL(name, parameters, nvidia, amd)                                                                  \
    load(calls_.name, names_.family == Family::cuda ? (nvidia) : (amd));
#include "runtime/gpu/driver_calls.def"
#undef CALL
}

void DriverApi::start() {
    int count = 0;
    DriverResult r = calls_.init(0);
    if (r == 0) r = calls_.device_count(&count);
    // Either error comes where there is no card.
    if (r == no_device || r == invalid_device || (r == 0 && count == 0)) absent(names_.no_card);
    if (r != 0) absent(fmt::format("{} does not start: {}", library_.name(), words(r)));
    if (index_ >= static_cast<unsigned>(count))
        absent(fmt::format("the driver shows {} of them, counted from 0; ingot devices lists them", count));
    call(device_name_, calls_.device_get, &device_, static_cast<int>(index_));
}

void DriverApi::absent(const std::string& message) const {
    throw Error(Code::unsupported, device_name_, message);
}

void* DriverApi::find(const char* function) const {
    void* const found = library_.find(function);
    if (found == nullptr) absent(fmt::format("{} lacks {}; {}", library_.name(), function, names_.upgrade));
    return found;
}

void DriverApi::check(DriverResult result, const std::string& what, const char* function) const {
    if (result == 0) return;
    throw Error(
        result == out_of_memory ? Code::out_of_memory : Code::device, what,
        fmt::format("{}{}: {}", function, what == device_name_ ? "" : " on " + device_name_, words(result)));
}

void DriverApi::use(const std::string& what) const {
    check(enter(), what, names_.enter);
}

int DriverApi::attribute(int which) const {
    int value = 0;
    call(device_name_, calls_.device_attribute, &value, which, device_);
    return value;
}

void* DriverApi::allocate(std::uint64_t bytes) {
    use(device_name_);
    void* memory = nullptr;
    const DriverResult r = calls_.mem_alloc(&memory, bytes);
    if (r == out_of_memory) return nullptr;
    check(r, device_name_, calls_.mem_alloc.name);
    return memory;
}

void DriverApi::release(void* memory) noexcept {
    enter();
    calls_.mem_free(memory);
}

void* DriverApi::allocate_pinned(std::uint64_t bytes) {
    use(device_name_);
    void* memory = nullptr;
    const DriverResult r = calls_.host_alloc(&memory, bytes, 0);
    if (r == out_of_memory) return nullptr;
    check(r, device_name_, calls_.host_alloc.name);
    return memory;
}

void DriverApi::release_pinned(void* memory) noexcept {
    enter();
    calls_.host_free(memory);
}

GpuApi::Handle DriverApi::create_stream() {
    Handle stream = nullptr;
    call_on_device(device_name_, calls_.stream_create, &stream, non_blocking);
    return stream;
}

void DriverApi::destroy_stream(Handle stream) noexcept {
    enter();
    calls_.stream_destroy(stream);
}

void DriverApi::synchronize(Handle stream, const std::string& what) {
    call_on_device(what, calls_.stream_synchronize, stream);
}

GpuApi::Handle DriverApi::create_event() {
    Handle event = nullptr;
    call_on_device(device_name_, calls_.event_create, &event, disable_timing);
    return event;
}

void DriverApi::destroy_event(Handle event) noexcept {
    enter();
    calls_.event_destroy(event);
}

void DriverApi::record(Handle event, Handle stream) {
    call_on_device(device_name_, calls_.event_record, event, stream);
}

void DriverApi::wait_for(Handle event, const std::string& what) {
    call_on_device(what, calls_.event_synchronize, event);
}

void DriverApi::set_zero(void* to, std::uint64_t bytes, Handle stream) {
    call_on_device(device_name_, calls_.memset, to, 0, bytes, stream);
}

void DriverApi::copy_to_device(void* to, const void* from, std::uint64_t bytes, Handle stream) {
    call_on_device(device_name_, calls_.copy_to_device, to, from, bytes, stream);
}

void DriverApi::copy_to_host(void* to, const void* from, std::uint64_t bytes, Handle stream) {
    call_on_device(device_name_, calls_.copy_to_host, to, from, bytes, stream);
}

void DriverApi::copy_within(void* to, const void* from, std::uint64_t bytes, Handle stream) {
    call_on_device(device_name_, calls_.copy_within, to, from, bytes, stream);
}

GpuApi::Handle DriverApi::load_module(std::span<const std::byte> object, const std::string& what) {
    checked_elf(object, what); // drivers are given no size
    use(what);
    Handle module = nullptr;
    const DriverResult r = calls_.module_load(&module, object.data());
    if (std::ranges::find(faults_of_modules, r) != faults_of_modules.end())
        throw Error(Code::bad_file, what,
                    fmt::format("its code can't be loaded on {}: {}", device_name_, words(r)));
    check(r, what, calls_.module_load.name);
    return module;
}

void DriverApi::unload_module(Handle module) noexcept {
    enter();
    calls_.module_unload(module);
}

GpuApi::Handle DriverApi::find_kernel(Handle module, const std::string& symbol) {
    use(symbol);
    Handle kernel = nullptr;
    const DriverResult r = calls_.module_function(&kernel, module, symbol.c_str());
    if (r == not_found) return nullptr;
    check(r, symbol, calls_.module_function.name);
    return kernel;
}

GpuApi::KernelLimits DriverApi::limits_of(Handle kernel, const std::string& what) {
    int threads = 0, shared = 0;
    call_on_device(what, calls_.function_attribute, &threads, max_threads_per_block, kernel);
    call(what, calls_.function_attribute, &shared, shared_size_bytes, kernel);
    return {.threads = static_cast<std::uint32_t>(threads),
            .shared_bytes = static_cast<std::uint32_t>(shared)};
}

void DriverApi::begin_capture(Handle stream) {
    call_on_device(device_name_, calls_.capture_begin, stream, capture_relaxed);
}

GpuApi::Handle DriverApi::end_capture(Handle stream, const std::string& what) {
    Handle graph = nullptr, executable = nullptr;
    call_on_device(what, calls_.capture_end, stream, &graph);
    const DriverResult r = calls_.graph_instantiate(&executable, graph, 0);
    calls_.graph_destroy(graph);
    check(r, what, calls_.graph_instantiate.name);
    return executable;
}

void DriverApi::abandon_capture(Handle stream) noexcept {
    enter();
    Handle graph = nullptr;
    if (calls_.capture_end(stream, &graph) == 0 && graph != nullptr) calls_.graph_destroy(graph);
}

void DriverApi::launch_graph(Handle graph, Handle stream, const std::string& what) {
    call_on_device(what, calls_.graph_launch, graph, stream);
}

void DriverApi::destroy_graph(Handle graph) noexcept {
    enter();
    calls_.graph_exec_destroy(graph);
}

} // namespace ingot::runtime
