// Q4_1: four-bit codes, a scale and a minimum for 32.
#pragma once

#include "block.h"

namespace ingot_host {

struct Q4_1 : BlockFormat<4, 0, true> {
    static void unpack(const u8* codes, u8x64 (&v)[8]) { unpack_nibbles(codes, v); }
};

} // namespace ingot_host
