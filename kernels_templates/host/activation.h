// Activations as matrix products read them.
#pragma once

#include "simd.h"

namespace ingot_host {

// One quantised row of K elements, in blocks of 32:
// [codes i8, K][scale f32, K/32][code sums i32, K/32][scale * sum of codes f32, K/32].
// The sums turn a weight's zero point and minimum into one correction a block instead of work an element.
template <int K>
struct Q8Row {
    static_assert(K % 32 == 0, "a quantised row is a whole number of blocks");
    static constexpr int blocks = K / 32;
    static constexpr int scale_offset = K;
    static constexpr int isum_offset = K + 4 * blocks;
    static constexpr int fsum_offset = K + 8 * blocks;
    static constexpr int bytes = K + 12 * blocks;
};

// Rows follow each other with a stride of Q8Row<K>::bytes.
struct Q8Activations {
    const u8* rows;
};

// Rows follow each other with a stride of K floats.
struct F32Activations {
    const float* rows;
};

} // namespace ingot_host
