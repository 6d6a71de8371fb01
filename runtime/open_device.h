// Devices by the name that a user gives.
#pragma once

#include "runtime/device.h"

namespace ingot::runtime {

// "host"; "hip": an AMD card; "cuda": an NVIDIA card; "hip:1" and so on: further ones; "null": runs nothing.
// Throws Error{unsupported} for a device that is not there, Error{invalid_argument} naming the known devices.
std::shared_ptr<Device> open_device(std::string_view name);

// The devices of this machine, the preferred one first; `null`, which is everywhere, is left out.
std::vector<DeviceInfo> available_devices();

} // namespace ingot::runtime
