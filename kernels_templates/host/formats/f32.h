// F32 weights as they are.
#pragma once

#include "float_format.h"

namespace ingot_host {

struct F32 : FloatFormat<4> {
    static f32x16 column(const u8* p) { return load<f32x16>(p); }
    static float element(const u8* p) { return load<float>(p); }
};

} // namespace ingot_host
