// A GPU behind GpuApi as a device.
#pragma once

#include "runtime/device.h"
#include "runtime/gpu/api.h"

#include <memory>

namespace ingot::runtime {

std::shared_ptr<Device> make_gpu_device(std::shared_ptr<GpuApi> api);

} // namespace ingot::runtime
