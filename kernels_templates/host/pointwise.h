// Whole and partial vectors, and the functions that the expressions of pointwise ops (ir/ops.def) may call.
#pragma once

#include "math.h"

namespace ingot_host {

// The first `count` lanes from memory, zeros above; memory past them is not touched.
inline f32x16 load_lanes(const float* p, int count) {
    if (count >= lanes) return load<f32x16>(p);
    f32x16 v{};
    for (int i = 0; i < count; ++i)
        v[i] = p[i];
    return v;
}

inline void store_lanes(float* p, f32x16 v, int count) {
    if (count >= lanes) return store(p, v);
    for (int i = 0; i < count; ++i)
        p[i] = v[i];
}

// Lane i of the result is lane `from + i`; the lanes above repeat the last one.
inline f32x16 drop_lanes(f32x16 v, int from) {
    float s[lanes], out[lanes];
    store(s, v);
    for (int i = 0; i < lanes; ++i)
        out[i] = s[from + i < lanes ? from + i : lanes - 1];
    return from == 0 ? v : load<f32x16>(out);
}

inline f32x16 sqrt(f32x16 x) {
    return __builtin_elementwise_sqrt(x);
}

inline f32x16 relu(f32x16 x) {
    return larger(f32x16{}, x);
}

// Within 1e-7 absolute.
inline f32x16 tanh(f32x16 x) {
    return 2.0f * sigmoid(2.0f * x) - 1.0f;
}

} // namespace ingot_host
