#include "runtime/open_device.h"

#include "runtime/error.h"
#include "runtime/gpu/gpu_device.h"
#include "runtime/host/host_device.h"
#include "runtime/null/null_device.h"

#include <charconv>
#include <optional>

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

namespace {

// Of "hip" and "hip:1"; nothing for another device's name. Numbers have up to three digits.
std::optional<unsigned> index_of(std::string_view name, std::string_view device) {
    if (!name.starts_with(device)) return std::nullopt;
    const std::string_view rest = name.substr(device.size());
    if (rest.empty()) return 0;
    unsigned index = 0;
    const auto [end, error] = std::from_chars(rest.data() + 1, rest.data() + rest.size(), index);
    const bool is_number = error == std::errc() && end == rest.data() + rest.size();
    return rest[0] == ':' && rest.size() <= 4 && is_number ? std::optional(index) : std::nullopt;
}

} // namespace

std::shared_ptr<Device> open_device(std::string_view name) {
    if (name == "host") return open_host_device();
    if (const auto index = index_of(name, "hip")) return make_gpu_device(open_hip_api({.index = *index}));
    if (const auto index = index_of(name, "cuda")) return make_gpu_device(open_cuda_api({.index = *index}));
    if (name == "null") return open_null_device();
    throw Error(Code::invalid_argument, std::string(name),
                "no such device; known are: host, hip, cuda, null, and hip:1 and so on for further cards");
}

std::vector<DeviceInfo> available_devices() {
    std::vector<DeviceInfo> devices = {open_host_device()->info()};
    for (const auto open : {open_hip_api, open_cuda_api}) {
        try {
            for (unsigned index = 0;; ++index)
                devices.push_back(make_gpu_device(open({.index = index}))->info());
        } catch (const Error&) { // NOLINT(bugprone-empty-catch): there are no more
        }
    }
    return devices;
}

} // namespace ingot::runtime
