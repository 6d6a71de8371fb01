// A GPU behind GpuApi as a device.
#pragma once

#include "runtime/device.h"
#include "runtime/gpu/api.h"

#include <memory>
#include <string>

namespace ingot::runtime {

// `name` is what users call it: "cuda", "hip".
std::shared_ptr<Device> make_gpu_device(std::string name, std::shared_ptr<GpuApi> api);

} // namespace ingot::runtime
