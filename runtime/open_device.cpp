#include "runtime/open_device.h"

#include "runtime/error.h"
#include "runtime/host/host_device.h"

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
    throw Error(Code::invalid_argument, std::string(name), "no such device; known are: host");
}

std::vector<DeviceInfo> available_devices() {
    return {open_host_device()->info()};
}

} // namespace ingot::runtime
