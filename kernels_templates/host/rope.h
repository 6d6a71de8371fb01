// Rotary position embedding, adjacent pairs: lanes 2i and 2i+1 of a head are one complex number, turned by
// position * inv_freq[i].
#pragma once

#include "math.h"

namespace ingot_host {

// Writes cosine and sine of each pair of a head: out[2i] = cos, out[2i+1] = sin, `head_dim` floats. Pairs
// from `half` on (partial rotary) get the identity, so that a caller turns every lane alike. 0 <= position <=
// 1e6 / max(inv_freq).
template <int half, int head_dim = 2 * half>
inline void rope_angles(int position, const float* inv_freq, float* out) {
    static_assert(half > 0 && 2 * half <= head_dim);
    for (int i = 0; i < half; i += 8) {
        const int count = half - i < 8 ? half - i : 8;
        f64x8 freq = {};
        if (count == 8)
            freq = __builtin_convertvector(load<f32x8>(inv_freq + i), f64x8);
        else
            for (int j = 0; j < count; ++j)
                freq[j] = inv_freq[i + j];
        // Exact in double: 24 bits of frequency, 20 of position.
        const SinCos8 t = sincos(freq * double(position));
        const f32x8 c = __builtin_convertvector(t.cos, f32x8);
        const f32x8 s = __builtin_convertvector(t.sin, f32x8);
        const f32x16 pairs =
            __builtin_shufflevector(c, s, 0, 8, 1, 9, 2, 10, 3, 11, 4, 12, 5, 13, 6, 14, 7, 15);
        if (count == 8)
            store(out + 2 * i, pairs);
        else
            for (int j = 0; j < 2 * count; ++j)
                out[2 * i + j] = pairs[j];
    }
    for (int i = half; 2 * i < head_dim; ++i) {
        out[2 * i] = 1.0f;
        out[2 * i + 1] = 0.0f;
    }
}

// Turns eight pairs; `angles16` are their sixteen floats of rope_angles.
inline f32x16 rotate_pairs(f32x16 y, const float* angles16) {
    const f32x16 a = load<f32x16>(angles16);
    const f32x16 c = __builtin_shufflevector(a, a, 0, 0, 2, 2, 4, 4, 6, 6, 8, 8, 10, 10, 12, 12, 14, 14);
    const f32x16 s =
        __builtin_shufflevector(a, -a, 17, 1, 19, 3, 21, 5, 23, 7, 25, 9, 27, 11, 29, 13, 31, 15);
    const f32x16 swapped =
        __builtin_shufflevector(y, y, 1, 0, 3, 2, 5, 4, 7, 6, 9, 8, 11, 10, 13, 12, 15, 14);
    return y * c + swapped * s;
}

} // namespace ingot_host
