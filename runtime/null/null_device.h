// A device that takes every plan and runs no kernel: memory and its copies are real, results stay what they
// were. For what surrounds the kernels: planning, loading, sessions, and what happens when a device fails.
#pragma once

#include "runtime/device.h"

#include <memory>

namespace ingot::runtime {

// Models are compiled for it as for the host, where nothing else is asked for.
std::shared_ptr<Device> open_null_device();

} // namespace ingot::runtime
