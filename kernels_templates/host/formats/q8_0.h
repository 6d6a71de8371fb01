// Q8_0: signed bytes, stored with 128 added, and a scale for 32.
#pragma once

#include "block.h"

namespace ingot_host {

struct Q8_0 : BlockFormat<8, 128, false> {
    static void unpack(const u8* codes, u8x64 (&v)[8]) { unpack_bytes(codes, v); }
};

} // namespace ingot_host
