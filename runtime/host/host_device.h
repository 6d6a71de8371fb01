// The host device: compiled kernels on the threads of this process.
#pragma once

#include "runtime/device.h"

#include <memory>

namespace ingot::runtime {

std::shared_ptr<Device> open_host_device();

} // namespace ingot::runtime
