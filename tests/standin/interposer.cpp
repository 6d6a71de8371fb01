#include "tests/standin/interposer.h"

#include "tests/standin/exports.h"

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <dlfcn.h>

namespace ingot::standin {

Interposer::Interposer() {
    const char* const path = std::getenv("INGOT_INTERPOSER_DRIVER");
    library_ = path == nullptr ? nullptr : ::dlopen(path, RTLD_NOW | RTLD_LOCAL | RTLD_NODELETE);
    if (library_ == nullptr) {
        std::fprintf(stderr, "INGOT_INTERPOSER_DRIVER: %s\n", path == nullptr ? "not set" : ::dlerror());
        std::abort();
    }
#ifdef STANDIN_HIP
#define CALL(name, parameters, nvidia, amd) driver_.name = reinterpret_cast<int(*) parameters>(find(amd));
#else
#define CALL(name, parameters, nvidia, amd) driver_.name = reinterpret_cast<int(*) parameters>(find(nvidia));
#endif
#include "runtime/gpu/driver_calls.def"
#undef CALL
}

bool Interposer::configure(std::string_view text) {
    return take_words(text, [&](std::string_view word) { return ledger_.add_fault(word); });
}

std::string Interposer::report() const {
    const std::lock_guard lock(mutex_);
    std::string out = ledger_.report();
    for (const Entered& e : entered_)
        out += std::to_string(e.thread) + " " + e.call + "\n";
    return out;
}

void* Interposer::find(const char* function) const {
    return ::dlsym(library_, function);
}

int Interposer::enter(const char* call) {
    const std::lock_guard lock(mutex_);
    const auto thread = std::ranges::find(threads_, std::this_thread::get_id());
    entered_.push_back({static_cast<std::size_t>(thread - threads_.begin()), call});
    if (thread == threads_.end()) threads_.push_back(std::this_thread::get_id());
    return ledger_.enter(call);
}

void Interposer::add(const char* kind, const void* handle) {
    const std::lock_guard lock(mutex_);
    ledger_.add(kind, handle);
}

void Interposer::remove(const char* kind, const void* handle) {
    const std::lock_guard lock(mutex_);
    if (!ledger_.remove(kind, handle)) ledger_.misused(std::string("there is no such ") + kind);
}

bool Interposer::kernel_faults() {
    const std::lock_guard lock(mutex_);
    return ledger_.kernel_faults();
}

Interposer& interposer() {
    static OfProcess<Interposer> process("INGOT_INTERPOSER", "INGOT_INTERPOSER_REPORT");
    return process.value;
}

namespace {

const Interposer::Driver& driver() {
    return interposer().driver();
}

} // namespace

int init(unsigned flags) {
    return pass_on("init", driver().init, flags);
}

int device_count(int* count) {
    return pass_on("device_count", driver().device_count, count);
}

int device_get(int* device, int index) {
    return pass_on("device_get", driver().device_get, device, index);
}

int device_name(char* name, int bytes, int device) {
    return pass_on("device_name", driver().device_name, name, bytes, device);
}

int device_attribute(int* value, int attribute, int device) {
    return pass_on("device_attribute", driver().device_attribute, value, attribute, device);
}

int device_memory(std::size_t* bytes, int device) {
    return pass_on("device_memory", driver().device_memory, bytes, device);
}

int mem_alloc(void** memory, std::size_t bytes) {
    return take("mem_alloc", "memory", driver().mem_alloc, memory, bytes);
}

int mem_free(void* memory) {
    return give_back("mem_free", "memory", driver().mem_free, memory);
}

int host_alloc(void** memory, std::size_t bytes, unsigned flags) {
    return take("host_alloc", "pinned", driver().host_alloc, memory, bytes, flags);
}

int host_free(void* memory) {
    return give_back("host_free", "pinned", driver().host_free, memory);
}

int stream_create(void** stream, unsigned flags) {
    return take("stream_create", "stream", driver().stream_create, stream, flags);
}

int stream_destroy(void* stream) {
    return give_back("stream_destroy", "stream", driver().stream_destroy, stream);
}

int stream_synchronize(void* stream) {
    return pass_on_always("stream_synchronize", driver().stream_synchronize, stream);
}

int event_create(void** event, unsigned flags) {
    return take("event_create", "event", driver().event_create, event, flags);
}

int event_destroy(void* event) {
    return give_back("event_destroy", "event", driver().event_destroy, event);
}

int event_record(void* event, void* stream) {
    return pass_on("event_record", driver().event_record, event, stream);
}

int event_synchronize(void* event) {
    return pass_on_always("event_synchronize", driver().event_synchronize, event);
}

int memset(void* to, unsigned char value, std::size_t bytes, void* stream) {
    return pass_on("memset", driver().memset, to, value, bytes, stream);
}

int copy_to_device(void* to, const void* from, std::size_t bytes, void* stream) {
    return pass_on("copy_to_device", driver().copy_to_device, to, from, bytes, stream);
}

int copy_to_host(void* to, const void* from, std::size_t bytes, void* stream) {
    return pass_on("copy_to_host", driver().copy_to_host, to, from, bytes, stream);
}

int copy_within(void* to, const void* from, std::size_t bytes, void* stream) {
    return pass_on("copy_within", driver().copy_within, to, from, bytes, stream);
}

int module_load(void** module, const void* image) {
    return take("module_load", "module", driver().module_load, module, image);
}

int module_unload(void* module) {
    return give_back("module_unload", "module", driver().module_unload, module);
}

int module_function(void** kernel, void* module, const char* name) {
    return pass_on("module_function", driver().module_function, kernel, module, name);
}

int function_attribute(int* value, int attribute, void* kernel) {
    return pass_on("function_attribute", driver().function_attribute, value, attribute, kernel);
}

int capture_begin(void* stream, int mode) {
    return pass_on("capture_begin", driver().capture_begin, stream, mode);
}

int capture_end(void* stream, void** graph) {
    // A capture is over even where it comes to nothing.
    const int error = interposer().enter("capture_end"), result = driver().capture_end(stream, graph);
    if (error == 0 && result == 0 && *graph != nullptr) interposer().add("graph", *graph);
    if (error == 0) return result;
    if (result == 0 && *graph != nullptr) driver().graph_destroy(*graph);
    *graph = nullptr;
    return error;
}

int graph_instantiate(void** executable, void* graph, unsigned long long flags) {
    return take("graph_instantiate", "executable", driver().graph_instantiate, executable, graph, flags);
}

int graph_launch(void* executable, void* stream) {
    return pass_on("graph_launch", driver().graph_launch, executable, stream);
}

int graph_destroy(void* graph) {
    return give_back("graph_destroy", "graph", driver().graph_destroy, graph);
}

int graph_exec_destroy(void* executable) {
    return give_back("graph_exec_destroy", "executable", driver().graph_exec_destroy, executable);
}

} // namespace ingot::standin
