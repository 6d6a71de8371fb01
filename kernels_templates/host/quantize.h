// Activations to signed bytes: scale = largest magnitude / 127 for 32 elements, codes round to nearest even.
// A block with a NaN or an infinity gets a NaN scale, so the products that read it are NaN and the fault
// shows.
#pragma once

#include "dot.h"

namespace ingot_host {

inline i32x16 round_to_i32(f32x16 v) {
    // The magic number's ulp is one: adding it rounds to nearest even, and its low bits then are the integer.
    const f32x16 magic = splat(12582912.0f);
    return i32x16(v + magic) - i32x16(magic);
}

inline i32 max_lane(i32x16 v) {
    return __builtin_reduce_max(v);
}

// Elements 32b .. 32b+31 of a row into place in `row`.
template <int K>
inline void quantize_block(f32x16 low, f32x16 high, u8* row, int b) {
    using Row = Q8Row<K>;
    typedef i8 i8x16 __attribute__((vector_size(16)));
    // As integers, magnitudes order like floats with infinity and NaN on top, so the maximum can't lose a
    // NaN.
    const i32x16 magnitude = i32x16{} + 0x7fffffff;
    const float largest = __builtin_bit_cast(
        float, max_lane(__builtin_elementwise_max(i32x16(low) & magnitude, i32x16(high) & magnitude)));
    const bool finite = largest <= 3.402823466e38f;
    // Below the threshold the reciprocal would overflow; such a block is as good as zero.
    const float inverse = finite && largest > 1e-30f ? 127.0f / largest : 0.0f;
    const float scale = finite ? largest * (1.0f / 127.0f) : __builtin_nanf("");
    const i32x16 a = round_to_i32(low * inverse), c = round_to_i32(high * inverse);
    const CodeSums sums = code_sums(a + c);
    u8* to = row + Row::block_bytes * b;
    store(to, __builtin_convertvector(a, i8x16));
    store(to + 16, __builtin_convertvector(c, i8x16));
    store(to + Row::scale_offset, scale);
    store(to + Row::isum_offset, sums.kept);
    store(to + Row::fsum_offset, scale * float(sums.all));
}

template <int K>
inline void quantize_row(const float* x, u8* row) {
    for (int b = 0; b < K / 32; ++b)
        quantize_block<K>(load<f32x16>(x + 32 * b), load<f32x16>(x + 32 * b + 16), row, b);
}

// Blocks that wait to be quantised together. What makes a block is a chain of dependent steps as long as
// quantising it is; one after the other, in loops of their own, many of either are under way at once.
template <int K>
class QuantizeBatch {
  public:
    void add(f32x16 low, f32x16 high, u8* row, int b) {
        waiting_[count_] = {low, high, row, b};
        if (++count_ == most) flush();
    }
    void flush() {
#pragma clang loop unroll(disable)
        for (int i = 0; i < count_; ++i)
            quantize_block<K>(waiting_[i].low, waiting_[i].high, waiting_[i].row, waiting_[i].block);
        count_ = 0;
    }

  private:
    static constexpr int most = 8;
    struct Block {
        f32x16 low, high;
        u8* row;
        int block;
    };
    Block waiting_[most];
    int count_ = 0;
};

} // namespace ingot_host
