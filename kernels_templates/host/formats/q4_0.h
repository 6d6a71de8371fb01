// Q4_0: four-bit codes around 8, a scale for 32.
#pragma once

#include "block.h"

namespace ingot_host {

struct Q4_0 : BlockFormat<4, 8, false> {
    static void unpack(const u8* codes, u8x64 (&v)[8]) { unpack_nibbles(codes, v); }
};

} // namespace ingot_host
