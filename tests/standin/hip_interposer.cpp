// What an interposer before libamdhip64 has beside driver_calls.def: version, device_properties.
#include "tests/standin/interposer.h"

using namespace ingot::standin;

extern "C" {

const char* hipGetErrorString(int error) {
    return real<decltype(hipGetErrorString)>("hipGetErrorString")(error);
}

int hipRuntimeGetVersion(int* version) {
    return pass_on("version", real<decltype(hipRuntimeGetVersion)>("hipRuntimeGetVersion"), version);
}

int hipSetDevice(int device) {
    return pass_on("context_set", real<decltype(hipSetDevice)>("hipSetDevice"), device);
}

int hipGetDeviceProperties(void* properties, int device) {
    return pass_on("device_properties", real<decltype(hipGetDeviceProperties)>("hipGetDeviceProperties"),
                   properties, device);
}

// Of HIP 6 and later; before them, the plain one has to do.
int hipGetDevicePropertiesR0600(void* properties, int device) {
    auto* const function = real<decltype(hipGetDevicePropertiesR0600)>("hipGetDevicePropertiesR0600");
    if (function == nullptr) return hipGetDeviceProperties(properties, device);
    return pass_on("device_properties", function, properties, device);
}

int hipModuleLaunchKernel(void* kernel, unsigned grid_x, unsigned grid_y, unsigned grid_z, unsigned threads_x,
                          unsigned threads_y, unsigned threads_z, unsigned shared_bytes, void* stream,
                          void** arguments, void** extra) {
    return pass_on_launch(arguments, [&] {
        return real<decltype(hipModuleLaunchKernel)>("hipModuleLaunchKernel")(
            kernel, grid_x, grid_y, grid_z, threads_x, threads_y, threads_z, shared_bytes, stream, arguments,
            extra);
    });
}
}
