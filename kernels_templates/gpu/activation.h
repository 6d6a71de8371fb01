// Quantised activations (element q8a) of up to `Rows` rows of K columns, as planes, so that a lane loads
// sixteen codes at once: codes i8 [Rows][K], then f32 [Rows][K/32] scales, then f32 [Rows][K/32] scale times
// the sum of the codes. Rows is the greatest number that the value's type allows.
#pragma once

#include "gpu/target.h"

namespace ingot_gpu {

// One block of 32, in registers.
struct Q8Block {
    u32 codes[8]; // element 4i in the lowest byte of word i
    f32 scale, sum;
};

template <int Rows, int K>
struct Q8Rows {
    static constexpr int blocks = K / 32;
    u8* base;

    INGOT_MEMBER Q8Block load(int row, int block) const {
        Q8Block b;
        const Words4* codes = reinterpret_cast<const Words4*>(base + row * K + block * 32);
        const Words4 low = codes[0], high = codes[1];
        b.codes[0] = low.x, b.codes[1] = low.y, b.codes[2] = low.z, b.codes[3] = low.w;
        b.codes[4] = high.x, b.codes[5] = high.y, b.codes[6] = high.z, b.codes[7] = high.w;
        b.scale = scales()[row * blocks + block];
        b.sum = scales()[(Rows + row) * blocks + block];
        return b;
    }
    INGOT_MEMBER f32* scales() const { return reinterpret_cast<f32*>(base + u64(Rows) * K); }
};

} // namespace ingot_gpu
