// Activations as matrix products read them.
#pragma once

#include "simd.h"

namespace ingot_host {

// One quantised row of K elements, in blocks of 32:
// [codes i8 [32]][scale f32][what code_sums (dot_*.h) keeps of the codes, i32][scale * sum of the codes f32].
// The sums turn a weight's zero point and minimum into one correction a block instead of work an element.
// Block after block, so that a tile of a product, of few columns and many tokens, touches few lines.
template <int K>
struct Q8Row {
    static_assert(K % 32 == 0, "a quantised row is a whole number of blocks");
    static constexpr int blocks = K / 32;
    static constexpr int scale_offset = 32, isum_offset = 36, fsum_offset = 40, block_bytes = 44;
    static constexpr int bytes = blocks * block_bytes;
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
