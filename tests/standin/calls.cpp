#include "tests/standin/calls.h"

#include "tests/standin/state.h"

#include <cstdlib>
#include <cstring>
#include <string_view>

namespace ingot::standin {
namespace {

// Locks the state and begins a call.
struct Call {
    explicit Call(const char* name) : lock(state().mutex), error(state().enter(name)) {}
    std::lock_guard<std::recursive_mutex> lock;
    int error;
};

int wrong_handle(const char* kind) {
    return state().misused(std::string("there is no such ") + kind);
}

int put_copy(void* to, const char* kind_of_to, const void* from, const char* kind_of_from, std::size_t bytes,
             void* stream) {
    State& s = state();
    if (!s.is("stream", stream)) return wrong_handle("stream");
    if (!s.holds(kind_of_to, to, bytes) || !s.holds(kind_of_from, from, bytes))
        return s.misused("a copy outside of " + std::string(kind_of_from) + " or " + kind_of_to);
    s.put(*static_cast<Stream*>(stream), [&s, to, from, bytes, kind_of_to, kind_of_from] {
        if (!s.holds(kind_of_to, to, bytes) || !s.holds(kind_of_from, from, bytes))
            return s.misused("memory was freed under a copy");
        std::memcpy(to, from, bytes);
        return 0;
    });
    return 0;
}

int allocate_memory(const char* kind, void** memory, std::size_t bytes) {
    State& s = state();
    if (std::string_view(kind) == "memory" && bytes > s.settings.memory - s.memory_in_use())
        return out_of_memory;
    void* const data = std::aligned_alloc(4096, (bytes + 4095) / 4096 * 4096);
    if (data == nullptr) return out_of_memory;
    std::memset(data, 0xd5, bytes); // a driver does not clear it
    s.add_memory(kind, data, bytes);
    *memory = data;
    return 0;
}

// Freeing waits for what is under way.
int free_memory(const char* kind, void* memory, int error) {
    State& s = state();
    const int fault = s.finish_all();
    if (!s.remove_memory(kind, memory)) return wrong_handle(kind);
    std::free(memory);
    return error != 0 ? error : fault;
}

template <class T>
int destroy(const char* kind, void* handle, int error) {
    if (!state().remove(kind, handle)) return wrong_handle(kind);
    delete static_cast<T*>(handle);
    return error;
}

// A kernel with its arguments' values, as a driver takes them when it is launched. One whose first pointer is
// null faults, as on a card; those of a GPU, whose arguments are not known here, begin with a pointer.
Operation operation_of(const Kernel& kernel, const Launch& how, void** arguments) {
    const bool null = (kernel.run == nullptr || kernel.arguments.starts_with('p')) &&
                      *static_cast<void**>(arguments[0]) == nullptr;
    std::vector<std::vector<std::byte>> values;
    for (std::size_t i = 0; i < kernel.arguments.size(); ++i) {
        const std::size_t bytes = kernel.arguments[i] == 'p' ? sizeof(void*) : sizeof(std::int32_t);
        const auto* const first = static_cast<const std::byte*>(arguments[i]);
        values.emplace_back(first, first + bytes);
    }
    return [null, run = kernel.run, how, values = std::move(values)]() mutable {
        if (state().kernel_faults() || null) return launch_failed;
        std::vector<void*> addresses;
        for (auto& value : values)
            addresses.push_back(value.data());
        if (run != nullptr) run(addresses.data(), how);
        return 0;
    };
}

} // namespace

int init(unsigned) {
    return Call("init").error;
}

int device_count(int* count) {
    const Call call("device_count");
    *count = state().settings.devices;
    if (call.error != 0) return call.error;
    return *count == 0 ? no_device : 0;
}

int device_get(int* device, int index) {
    const Call call("device_get");
    if (call.error != 0) return call.error;
    if (index < 0 || index >= state().settings.devices) return state().misused("a device that is not there");
    *device = index;
    return 0;
}

int device_name(char* name, int bytes, int) {
    const Call call("device_name");
    std::strncpy(name, "Stand-in", static_cast<std::size_t>(bytes));
    return call.error;
}

int device_attribute(int* value, int attribute, int) {
    const Call call("device_attribute");
    if (call.error != 0) return call.error;
    if (!family_attribute(state().settings, attribute, *value))
        return state().misused("attribute " + std::to_string(attribute));
    return 0;
}

int device_memory(std::size_t* bytes, int) {
    const Call call("device_memory");
    *bytes = state().settings.memory;
    return call.error;
}

int mem_alloc(void** memory, std::size_t bytes) {
    const Call call("mem_alloc");
    return call.error != 0 ? call.error : allocate_memory("memory", memory, bytes);
}

int mem_free(void* memory) {
    const Call call("mem_free");
    return free_memory("memory", memory, call.error);
}

int host_alloc(void** memory, std::size_t bytes, unsigned) {
    const Call call("host_alloc");
    return call.error != 0 ? call.error : allocate_memory("pinned", memory, bytes);
}

int host_free(void* memory) {
    const Call call("host_free");
    return free_memory("pinned", memory, call.error);
}

int stream_create(void** stream, unsigned) {
    const Call call("stream_create");
    if (call.error != 0) return call.error;
    state().add("stream", *stream = new Stream);
    return 0;
}

int stream_destroy(void* stream) {
    const Call call("stream_destroy");
    if (state().is("stream", stream)) state().finish(*static_cast<Stream*>(stream));
    return destroy<Stream>("stream", stream, call.error);
}

int stream_synchronize(void* stream) {
    const Call call("stream_synchronize");
    if (call.error != 0) return call.error;
    if (!state().is("stream", stream)) return wrong_handle("stream");
    auto& s = *static_cast<Stream*>(stream);
    return s.capturing ? state().misused("a wait within a capture") : state().finish(s);
}

int event_create(void** event, unsigned) {
    const Call call("event_create");
    if (call.error != 0) return call.error;
    state().add("event", *event = new Event);
    return 0;
}

int event_destroy(void* event) {
    const Call call("event_destroy");
    state().finish_all(); // what is on a stream may know the event
    return destroy<Event>("event", event, call.error);
}

int event_record(void* event, void* stream) {
    const Call call("event_record");
    if (call.error != 0) return call.error;
    if (!state().is("event", event) || !state().is("stream", stream)) return wrong_handle("event or stream");
    auto& e = *static_cast<Event*>(event);
    e = {.stream = static_cast<Stream*>(stream), .done = false};
    state().put(*e.stream, [&e] {
        e.done = true;
        return 0;
    });
    return 0;
}

int event_synchronize(void* event) {
    const Call call("event_synchronize");
    if (call.error != 0) return call.error;
    if (!state().is("event", event)) return wrong_handle("event");
    const auto& e = *static_cast<Event*>(event);
    return e.done ? 0 : state().finish(*e.stream);
}

int memset(void* to, unsigned char value, std::size_t bytes, void* stream) {
    const Call call("memset");
    State& s = state();
    if (call.error != 0) return call.error;
    if (!s.is("stream", stream)) return wrong_handle("stream");
    if (!s.holds("memory", to, bytes)) return s.misused("a memset outside of memory");
    s.put(*static_cast<Stream*>(stream), [to, value, bytes] {
        std::memset(to, value, bytes);
        return 0;
    });
    return 0;
}

int copy_to_device(void* to, const void* from, std::size_t bytes, void* stream) {
    const Call call("copy_to_device");
    return call.error != 0 ? call.error : put_copy(to, "memory", from, "pinned", bytes, stream);
}

int copy_to_host(void* to, const void* from, std::size_t bytes, void* stream) {
    const Call call("copy_to_host");
    return call.error != 0 ? call.error : put_copy(to, "pinned", from, "memory", bytes, stream);
}

int copy_within(void* to, const void* from, std::size_t bytes, void* stream) {
    const Call call("copy_within");
    return call.error != 0 ? call.error : put_copy(to, "memory", from, "memory", bytes, stream);
}

int module_load(void** module, const void* image) {
    const Call call("module_load");
    if (call.error != 0) return call.error;
    std::unique_ptr<Code> code = Code::load(image);
    if (code == nullptr) return invalid_image;
    state().add("module", *module = code.release());
    return 0;
}

int module_unload(void* module) {
    const Call call("module_unload");
    state().finish_all();
    return destroy<Code>("module", module, call.error);
}

int module_function(void** kernel, void* module, const char* name) {
    const Call call("module_function");
    if (call.error != 0) return call.error;
    if (!state().is("module", module)) return wrong_handle("module");
    const Kernel* const found = static_cast<Code*>(module)->find(name);
    if (found == nullptr) return not_found;
    *kernel = const_cast<Kernel*>(found);
    return 0;
}

int function_attribute(int* value, int attribute, void*) {
    const Call call("function_attribute");
    if (call.error != 0) return call.error;
    if (attribute > 1) return state().misused("attribute of a kernel");
    *value = attribute == 0 ? state().settings.kernel_threads : state().settings.kernel_shared;
    return 0;
}

int launch(const Launch& how, void* kernel, void* stream, void** arguments) {
    const Call call("launch");
    State& s = state();
    if (call.error != 0) return call.error;
    if (!s.is("stream", stream)) return wrong_handle("stream");
    const Settings& most = s.settings;
    for (const unsigned groups : how.grid)
        if (groups == 0) return s.misused("a launch of no groups");
    if (how.threads == 0 ||
        how.threads > static_cast<unsigned>(std::min(most.threads, most.kernel_threads)) ||
        how.shared_bytes + static_cast<unsigned>(most.kernel_shared) > static_cast<unsigned>(most.shared))
        return s.misused("a launch beyond the limits of card or kernel");
    s.put(*static_cast<Stream*>(stream), operation_of(*static_cast<const Kernel*>(kernel), how, arguments));
    return 0;
}

int capture_begin(void* stream, int) {
    const Call call("capture_begin");
    if (call.error != 0) return call.error;
    if (!state().is("stream", stream)) return wrong_handle("stream");
    auto& s = *static_cast<Stream*>(stream);
    if (s.capturing) return state().misused("a capture within a capture");
    s.capturing = true;
    return 0;
}

int capture_end(void* stream, void** graph) {
    const Call call("capture_end");
    if (!state().is("stream", stream)) return wrong_handle("stream");
    auto& s = *static_cast<Stream*>(stream);
    if (!s.capturing) return state().misused("no capture to end");
    s.capturing = false;
    std::vector<Operation> captured;
    captured.swap(s.captured);
    if (call.error != 0) return call.error;
    state().add("graph", *graph = new Graph{std::move(captured)});
    return 0;
}

int graph_instantiate(void** executable, void* graph, unsigned long long) {
    const Call call("graph_instantiate");
    if (call.error != 0) return call.error;
    if (!state().is("graph", graph)) return wrong_handle("graph");
    state().add("executable", *executable = new Graph(*static_cast<Graph*>(graph)));
    return 0;
}

int graph_launch(void* executable, void* stream) {
    const Call call("graph_launch");
    if (call.error != 0) return call.error;
    if (!state().is("executable", executable) || !state().is("stream", stream))
        return wrong_handle("executable or stream");
    for (const Operation& operation : static_cast<Graph*>(executable)->operations)
        state().put(*static_cast<Stream*>(stream), operation);
    return 0;
}

int graph_destroy(void* graph) {
    const Call call("graph_destroy");
    return destroy<Graph>("graph", graph, call.error);
}

int graph_exec_destroy(void* executable) {
    const Call call("graph_exec_destroy");
    return destroy<Graph>("executable", executable, call.error);
}

} // namespace ingot::standin
