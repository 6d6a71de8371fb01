// F16: IEEE 754 binary16 weights, widened exactly.
#pragma once

#include "float_format.h"

namespace ingot_host {

struct F16 : FloatFormat<2> {
    static f32x16 column(const u8* p) { return to_f32(load<f16x16>(p)); }
    static float element(const u8* p) { return float(load<_Float16>(p)); }
};

} // namespace ingot_host
