#pragma once

#include "gpu/formats/floats.h"

namespace ingot_gpu {

using BF16 = FloatFormat<ConvertBF16, 2>;

} // namespace ingot_gpu
