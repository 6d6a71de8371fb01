#pragma once

#include "gpu/formats/floats.h"

namespace ingot_gpu {

using F32 = FloatFormat<ConvertF32, 4>;

} // namespace ingot_gpu
