// RMS normalisation (Zhang and Sennrich 2019): y = x / sqrt(mean(x^2) + eps) * weight.
#pragma once

#include "quantize.h"

namespace ingot_host {

// The reciprocal root that a row is multiplied by.
template <int K>
inline float rms_scale(const float* x, float eps) {
    f32x16 squares[4] = {};
    constexpr int whole = K / lanes;
#pragma unroll
    for (int i = 0; i < whole; ++i) {
        const f32x16 v = load<f32x16>(x + lanes * i);
        squares[i % 4] += v * v;
    }
    float total = sum((squares[0] + squares[1]) + (squares[2] + squares[3]));
    for (int k = whole * lanes; k < K; ++k)
        total += x[k] * x[k];
    return 1.0f / __builtin_sqrtf(total / float(K) + eps);
}

template <int K>
inline void rms_norm_row(const float* x, const float* weight, float eps, float* out) {
    const float scale = rms_scale<K>(x, eps);
    constexpr int whole = K / lanes;
    for (int i = 0; i < whole; ++i)
        store(out + lanes * i, load<f32x16>(x + lanes * i) * scale * load<f32x16>(weight + lanes * i));
    for (int k = whole * lanes; k < K; ++k)
        out[k] = x[k] * scale * weight[k];
}

// The same, quantised: `row` is a Q8Row<K>.
template <int K>
inline void rms_norm_quantize_row(const float* x, const float* weight, float eps, u8* row) {
    const float scale = rms_scale<K>(x, eps);
    for (int b = 0; b < K / 32; ++b) {
        const f32x16 low = load<f32x16>(x + 32 * b) * scale * load<f32x16>(weight + 32 * b);
        const f32x16 high = load<f32x16>(x + 32 * b + 16) * scale * load<f32x16>(weight + 32 * b + 16);
        quantize_block<K>(low, high, row, b);
    }
}

} // namespace ingot_host
