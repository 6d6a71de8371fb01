// Devices by the name that a user gives.
#pragma once

#include "runtime/device.h"

namespace ingot::runtime {

// "host"; "cuda": an NVIDIA card. Throws Error{unsupported} for a device that is not there,
// Error{invalid_argument} naming the known devices.
std::shared_ptr<Device> open_device(std::string_view name);

// The devices of this machine, the preferred one first.
std::vector<DeviceInfo> available_devices();

} // namespace ingot::runtime
