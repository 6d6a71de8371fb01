// A file's bytes into the memory of a GPU.
#pragma once

#include "runtime/device.h"
#include "runtime/gpu/gpu_memory.h"

namespace ingot::runtime {

// Through pinned buffers, so that reading and copying overlap: file pages that are mapped straight into a
// copy hang on some ROCm versions. Returns when all is there. Throws Error: io, bad_file (the file ends
// early), device.
void upload(const std::shared_ptr<GpuApi>& api, const GpuMemory& to, const FileRange& range);

} // namespace ingot::runtime
