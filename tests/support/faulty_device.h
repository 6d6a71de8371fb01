// A device that passes every call on to another one, and fails where it is told to.
#pragma once

#include "runtime/device.h"

#include <memory>

namespace ingot::tests {

struct DeviceFaults {
    long calls = 0;    // of device and queues so far
    long fail_at = 0;  // the call that fails; 0: none
    bool lost = false; // all after it fail too
    long live = 0;     // objects that it gave out and that are not gone
};

// Calls that take memory fail with out_of_memory, others with device. Everything that `faults` says may
// change between calls; it must outlive the device and what comes of it.
std::shared_ptr<runtime::Device> make_faulty_device(std::shared_ptr<runtime::Device> inner,
                                                    DeviceFaults& faults);

} // namespace ingot::tests
