// Eight neighbouring channels of a key, a value or a query, and the products that attention makes of them,
// with sums in f32: of two f16 pair by pair, otherwise one by one.
#pragma once

#include "gpu/target.h"

namespace ingot_gpu {

struct F16Octet {
    Words4 words;
};
struct F32Octet {
    Words4 low, high;
};
INGOT_DEVICE F16Octet load_octet(const u16* p) {
    return {*reinterpret_cast<const Words4*>(p)};
}
INGOT_DEVICE F32Octet load_octet(const f32* p) {
    return {*reinterpret_cast<const Words4*>(p), *reinterpret_cast<const Words4*>(p + 4)};
}
INGOT_DEVICE void unpack(const F16Octet& o, f32 (&x)[8]) {
    const u32 words[4] = {o.words.x, o.words.y, o.words.z, o.words.w};
#pragma unroll
    for (int i = 0; i < 8; ++i)
        x[i] = f16_to_f32(u16(words[i / 2] >> (i % 2 * 16)));
}
INGOT_DEVICE void unpack(const F32Octet& o, f32 (&x)[8]) {
    const u32 words[8] = {o.low.x, o.low.y, o.low.z, o.low.w, o.high.x, o.high.y, o.high.z, o.high.w};
#pragma unroll
    for (int i = 0; i < 8; ++i)
        x[i] = float_of(words[i]);
}

// A key, to be multiplied with queries: sum + the products of its channels with those of `q`.
template <class Octet, class Query>
struct Key {
    f32 x[8];

    INGOT_MEMBER explicit Key(const Octet& o) { unpack(o, x); }
    INGOT_MEMBER f32 product(f32 sum, const Query& q) const {
        f32 y[8];
        unpack(q, y);
#pragma unroll
        for (int i = 0; i < 8; ++i)
            sum += x[i] * y[i];
        return sum;
    }
};
template <>
struct Key<F16Octet, F16Octet> {
    Words4 x;

    INGOT_MEMBER explicit Key(const F16Octet& o) : x(o.words) {}
    INGOT_MEMBER f32 product(f32 sum, const F16Octet& q) const {
        return dot2(dot2(dot2(dot2(sum, x.x, q.words.x), x.y, q.words.y), x.z, q.words.z), x.w, q.words.w);
    }
};

// What two positions weigh.
struct F16Weights {
    u32 pair;
};
struct alignas(8) F32Weights {
    f32 first, second;
};
INGOT_DEVICE F16Weights load_weights(const u16* p) {
    return *reinterpret_cast<const F16Weights*>(p);
}
INGOT_DEVICE F32Weights load_weights(const f32* p) {
    return *reinterpret_cast<const F32Weights*>(p);
}

// Values of two positions, to be added up as they weigh.
template <class Octet, class Weights>
struct ValuePair {
    f32 x[8], y[8];

    INGOT_MEMBER ValuePair(const Octet& first, const Octet& second) {
        unpack(first, x);
        unpack(second, y);
    }
    INGOT_MEMBER void add(f32 (&sum)[8], Weights w) const {
#pragma unroll
        for (int i = 0; i < 8; ++i)
            sum[i] = sum[i] + x[i] * w.first + y[i] * w.second;
    }
};
template <>
struct ValuePair<F16Octet, F16Weights> {
    u32 channel[8]; // of both positions

    INGOT_MEMBER ValuePair(const F16Octet& first, const F16Octet& second) {
        const u32 x[4] = {first.words.x, first.words.y, first.words.z, first.words.w},
                  y[4] = {second.words.x, second.words.y, second.words.z, second.words.w};
#pragma unroll
        for (int i = 0; i < 4; ++i)
            channel[2 * i] = low_halves(x[i], y[i]), channel[2 * i + 1] = high_halves(x[i], y[i]);
    }
    INGOT_MEMBER void add(f32 (&sum)[8], F16Weights w) const {
#pragma unroll
        for (int i = 0; i < 8; ++i)
            sum[i] = dot2(sum[i], channel[i], w.pair);
    }
};

} // namespace ingot_gpu
