// Q5_1: five-bit codes, a scale and a minimum for 32.
#pragma once

#include "block.h"

namespace ingot_host {

struct Q5_1 : BlockFormat<5, 0, true> {
    static void unpack(const u8* codes, u8x64 (&v)[8]) { unpack_five_bits(codes, v); }
};

} // namespace ingot_host
