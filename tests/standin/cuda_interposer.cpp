// What an interposer before libcuda has beside driver_calls.def: context_retain, context_release,
// function_set.
#include "tests/standin/interposer.h"

#include <cstdint>

using namespace ingot::standin;

namespace {

// A device has one context, whose handle is not named when it is given back.
const void* context_of(int device) {
    return reinterpret_cast<const void*>(static_cast<std::intptr_t>(device) + 1);
}

} // namespace

extern "C" {

int cuGetErrorString(int error, const char** text) {
    return real<decltype(cuGetErrorString)>("cuGetErrorString")(error, text);
}

// For NVRTC, which asks the driver that it finds; of no call of ours.
int cuGetExportTable(const void** table, const void* id) {
    return real<decltype(cuGetExportTable)>("cuGetExportTable")(table, id);
}

int cuDevicePrimaryCtxRetain(void** context, int device) {
    const int result =
        pass_on("context_retain", real<decltype(cuDevicePrimaryCtxRetain)>("cuDevicePrimaryCtxRetain"),
                context, device);
    if (result == 0) interposer().add("context", context_of(device));
    return result;
}

int cuDevicePrimaryCtxRelease_v2(int device) {
    interposer().remove("context", context_of(device));
    return pass_on_always("context_release",
                          real<decltype(cuDevicePrimaryCtxRelease_v2)>("cuDevicePrimaryCtxRelease_v2"),
                          device);
}

int cuCtxSetCurrent(void* context) {
    return pass_on("context_set", real<decltype(cuCtxSetCurrent)>("cuCtxSetCurrent"), context);
}

int cuFuncSetAttribute(void* kernel, int attribute, int value) {
    return pass_on("function_set", real<decltype(cuFuncSetAttribute)>("cuFuncSetAttribute"), kernel,
                   attribute, value);
}

int cuLaunchKernelEx(const void* config, void* kernel, void** arguments, void** extra) {
    return pass_on_launch(arguments, [&] {
        return real<decltype(cuLaunchKernelEx)>("cuLaunchKernelEx")(config, kernel, arguments, extra);
    });
}
}
