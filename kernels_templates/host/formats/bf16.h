// BF16: the upper half of an f32.
#pragma once

#include "float_format.h"

namespace ingot_host {

struct BF16 : FloatFormat<2> {
    static f32x16 column(const u8* p) {
        return f32x16(__builtin_convertvector(load<u16x16>(p), u32x16) << 16);
    }
    static float element(const u8* p) { return __builtin_bit_cast(float, u32(load<u16>(p)) << 16); }
};

} // namespace ingot_host
