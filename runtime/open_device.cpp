#include "runtime/open_device.h"

#include "runtime/error.h"
#include "runtime/gpu/gpu_device.h"
#include "runtime/host/host_device.h"
#include "runtime/null/null_device.h"

#include <fmt/format.h>

namespace ingot::runtime {

std::string_view name_of(Pool pool) {
    switch (pool) {
    case Pool::weights:
        return "weights";
    case Pool::state:
        return "state";
    case Pool::transient:
        return "transient";
    case Pool::io:
        return "io";
    }
    return "no pool";
}

std::shared_ptr<Device> open_device(std::string_view name) {
    if (name == "host") return open_host_device();
    if (name == "hip") return make_gpu_device("hip", open_hip_api());
    if (name == "cuda") return make_gpu_device("cuda", open_cuda_api());
    if (name == "null") return open_null_device();
    throw Error(Code::invalid_argument, std::string(name),
                "no such device; known are: host, hip, cuda, null");
}

std::vector<DeviceInfo> available_devices() {
    std::vector<DeviceInfo> devices = {open_host_device()->info()};
    for (const char* name : {"hip", "cuda"}) {
        try {
            devices.push_back(open_device(name)->info());
        } catch (const Error&) { // NOLINT(bugprone-empty-catch): there is none
        }
    }
    return devices;
}

} // namespace ingot::runtime
