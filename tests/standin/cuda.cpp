// libcuda for tests: what it has beside driver_calls.def. Source: CUDA Driver API reference, version 12.
#include "tests/standin/calls.h"
#include "tests/standin/state.h"

namespace ingot::standin {

Settings family_settings() {
    Settings s;
    s.arch = "sm_90";
    s.wave = 32;
    s.shared = 232448;
    return s;
}

bool family_attribute(const Settings& s, int which, int& value) {
    const int capability = std::stoi(s.arch.substr(3));
    switch (which) {
    case 1:
        value = s.threads;
        return true;
    case 5:
        value = 0x7fffffff;
        return true;
    case 6:
    case 7:
        value = 65535;
        return true;
    case 16:
        value = 132;
        return true;
    case 75:
        value = capability / 10;
        return true;
    case 76:
        value = capability % 10;
        return true;
    case 97:
        value = s.shared;
        return true;
    default:
        return false;
    }
}

namespace {
int context; // there is one; its address is the handle
}

} // namespace ingot::standin

using namespace ingot::standin;

extern "C" {

int cuGetErrorString(int error, const char** text) {
    *text = error == out_of_memory   ? "out of memory"
            : error == launch_failed ? "unspecified launch failure"
            : error == invalid_image ? "device kernel image is invalid"
                                     : "unknown error";
    return 0;
}

// NVRTC asks the driver that it finds for tables, and does without them.
int cuGetExportTable(const void**, const void*) {
    return not_found;
}

int cuDevicePrimaryCtxRetain(void** handle, int) {
    const std::lock_guard lock(state().mutex);
    if (const int error = state().enter("context_retain")) return error;
    state().add("context", *handle = &context);
    return 0;
}

int cuDevicePrimaryCtxRelease_v2(int) {
    const std::lock_guard lock(state().mutex);
    const int error = state().enter("context_release");
    return state().remove("context", &context) ? error : state().misused("there is no such context");
}

int cuCtxSetCurrent(void* handle) {
    const std::lock_guard lock(state().mutex);
    return state().is("context", handle) ? 0 : state().misused("there is no such context");
}

int cuFuncSetAttribute(void*, int, int) {
    const std::lock_guard lock(state().mutex);
    return state().enter("function_set");
}

struct Config {
    unsigned grid[3], block[3], shared_bytes;
    void* stream;
    void* attributes;
    unsigned attribute_count;
};

#ifndef STANDIN_INCOMPLETE
int cuLaunchKernelEx(const void* given, void* kernel, void** arguments, void**) {
    const auto& config = *static_cast<const Config*>(given);
    return launch({.grid = {config.grid[0], config.grid[1], config.grid[2]},
                   .threads = config.block[0],
                   .shared_bytes = config.shared_bytes},
                  kernel, config.stream, arguments);
}
#endif
}
