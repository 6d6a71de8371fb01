// Q5_0: five-bit codes around 16, a scale for 32.
#pragma once

#include "block.h"

namespace ingot_host {

struct Q5_0 : BlockFormat<5, 16, false> {
    static void unpack(const u8* codes, u8x64 (&v)[8]) { unpack_five_bits(codes, v); }
};

} // namespace ingot_host
