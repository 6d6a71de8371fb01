// Elementary functions on vectors, without a math library. NaN goes in and comes out of every one of them.
#pragma once

#include "simd.h"

namespace ingot_host {

typedef double f64x8 __attribute__((vector_size(64)));
typedef long long i64x8 __attribute__((vector_size(64)));
typedef float f32x8 __attribute__((vector_size(32)));

// x in every lane. Subtracting zero is an identity that the compiler may drop; adding it isn't (-0 + 0 = +0).
inline f32x16 broadcast(float x) {
    return x - f32x16{};
}

// The larger of each lane; where `b` is NaN, NaN (the operand order of maxps and minps decides this).
inline f32x16 larger(f32x16 a, f32x16 b) {
    return a > b ? a : b;
}
inline f32x16 smaller(f32x16 a, f32x16 b) {
    return a < b ? a : b;
}

inline float largest(f32x16 v) {
    v = larger(v, __builtin_shufflevector(v, v, 8, 9, 10, 11, 12, 13, 14, 15, 0, 1, 2, 3, 4, 5, 6, 7));
    v = larger(v, __builtin_shufflevector(v, v, 4, 5, 6, 7, 0, 1, 2, 3, 4, 5, 6, 7, 0, 1, 2, 3));
    v = larger(v, __builtin_shufflevector(v, v, 2, 3, 0, 1, 2, 3, 0, 1, 2, 3, 0, 1, 2, 3, 0, 1));
    v = larger(v, __builtin_shufflevector(v, v, 1, 0, 1, 0, 1, 0, 1, 0, 1, 0, 1, 0, 1, 0, 1, 0));
    return v[0];
}

inline f32x16 bits_to_f32(i32x16 bits) {
    return __builtin_bit_cast(f32x16, bits);
}

// Adding 1.5 * 2^23 rounds a float below 2^22 to an integer, and leaves that integer in the low mantissa
// bits.
inline constexpr float round_magic = 12582912.0f;

// 2^f for f in [-1/2, 1/2]: minimax in relative error (2e-7), constant term fixed at 1 so that 2^0 is exact.
inline f32x16 exp2_fraction(f32x16 f) {
    f32x16 p = f * 1.33952500e-3f + 9.67012123e-3f;
    p = p * f + 5.55032862e-2f;
    p = p * f + 2.40222454e-1f;
    p = p * f + 6.93147182e-1f;
    return p * f + 1.0f;
}

// 2^n of an integer n that was rounded with the exponent's bias added in: its low bits, once shifted.
inline f32x16 exp2_integer(f32x16 biased) {
    return bits_to_f32(__builtin_bit_cast(i32x16, biased) << 23);
}

// 2^x for x <= 0, as softmax needs it: relative error 2e-7, zero below 2^-126 and for -infinity.
inline f32x16 exp2_nonpositive(f32x16 x) {
    x = larger(broadcast(-127.0f), x);
    const f32x16 biased = x + (round_magic + 127.0f);
    return exp2_fraction(x - (biased - (round_magic + 127.0f))) * exp2_integer(biased);
}

// e^x for |x| <= 87, relative error 2e-7 + 6e-8 |x|; beyond that as at the border, which sigmoids can't tell
// from what it should be.
inline f32x16 exp(f32x16 x) {
    x = larger(broadcast(-87.0f), smaller(broadcast(87.0f), x));
    const f32x16 biased = x * 1.44269504f + (round_magic + 127.0f);
    return exp2_fraction(x * 1.44269504f - (biased - (round_magic + 127.0f))) * exp2_integer(biased);
}

inline f32x16 sigmoid(f32x16 x) {
    return 1.0f / (1.0f + exp(-x));
}

inline f32x16 silu(f32x16 x) {
    return x / (1.0f + exp(-x));
}

// GELU by its tanh approximation, 0.5 x (1 + tanh u), which is x * sigmoid(2 u).
inline f32x16 gelu(f32x16 x) {
    const f32x16 twice_u = x * (x * x * 0.0713548163f + 1.59576912f);
    return x / (1.0f + exp(-twice_u));
}

struct SinCos8 {
    f64x8 sin, cos;
};

// Sine and cosine of |x| <= 1e6 to 1e-9 absolute.
inline SinCos8 sincos(f64x8 x) {
    // Rounding by magic addition, as above, with a double's 52 bits.
    const double magic = 6755399441055744.0;
    const f64x8 rounded = x * 0.63661977236758134308 + magic;
    const f64x8 n = rounded - magic;
    const i64x8 quadrant = __builtin_bit_cast(i64x8, rounded);
    // pi/2 in two doubles; the second matters only past 1e6.
    f64x8 r = x - n * 1.57079632679489655800;
    r = r - n * 6.12323399573676603587e-17;
    const f64x8 z = r * r;
    // Taylor to r^11 and r^12: on [-pi/4, pi/4] the next terms are below 1e-11.
    f64x8 s = z * (-1.0 / 39916800) + 1.0 / 362880;
    s = s * z - 1.0 / 5040;
    s = s * z + 1.0 / 120;
    s = s * z - 1.0 / 6;
    s = s * z * r + r;
    f64x8 c = z * (1.0 / 479001600) - 1.0 / 3628800;
    c = c * z + 1.0 / 40320;
    c = c * z - 1.0 / 720;
    c = c * z + 1.0 / 24;
    c = c * z - 0.5;
    c = c * z + 1.0;
    const i64x8 odd = -(quadrant & 1);
    const f64x8 a = odd ? c : s;
    const f64x8 b = odd ? s : c;
    const i64x8 sin_sign = quadrant << 62 & (i64x8{} + (-0x7fffffffffffffffLL - 1));
    const i64x8 cos_sign = (quadrant + 1) << 62 & (i64x8{} + (-0x7fffffffffffffffLL - 1));
    return {__builtin_bit_cast(f64x8, __builtin_bit_cast(i64x8, a) ^ sin_sign),
            __builtin_bit_cast(f64x8, __builtin_bit_cast(i64x8, b) ^ cos_sign)};
}

struct SinCos {
    float sin, cos;
};

inline SinCos sincos(double x) {
    const SinCos8 v = sincos(f64x8{} + x);
    return {float(v.sin[0]), float(v.cos[0])};
}

} // namespace ingot_host
