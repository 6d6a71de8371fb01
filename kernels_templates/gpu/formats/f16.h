#pragma once

#include "gpu/formats/floats.h"

namespace ingot_gpu {

using F16 = FloatFormat<ConvertF16, 2>;

} // namespace ingot_gpu
