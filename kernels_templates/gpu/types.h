// Names of the machine's numbers. No header of a vendor or of the language is there to be had.
#pragma once

namespace ingot_gpu {

typedef unsigned char u8;
typedef signed char i8;
typedef unsigned short u16;
typedef unsigned int u32;
typedef int i32;
typedef unsigned long long u64;
typedef float f32;

// A workspace begins with so many words that are zero between launches, whatever kernel they belong to; what
// lies behind them is anything.
inline constexpr int counters = 1024;

// Sixteen bytes, as one load or store moves them.
struct alignas(16) Words4 {
    u32 x, y, z, w;
};

} // namespace ingot_gpu
