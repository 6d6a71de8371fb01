// Sixteen-lane vectors, as Clang's vector extension: one zmm register on x86-64-v4, two ymm on x86-64-v3.
// Kernels are written once in these types; what differs by target sits in dot_v3.h and dot_v4.h.
#pragma once

#include <stdint.h>

namespace ingot_host {

using u8 = uint8_t;
using i8 = int8_t;
using u16 = uint16_t;
using i32 = int32_t;
using u32 = uint32_t;
using u64 = uint64_t;

inline constexpr int lanes = 16;

typedef float f32x16 __attribute__((vector_size(64)));
typedef i32 i32x16 __attribute__((vector_size(64)));
typedef u32 u32x16 __attribute__((vector_size(64)));
typedef _Float16 f16x16 __attribute__((vector_size(32)));
typedef u16 u16x16 __attribute__((vector_size(32)));
// Half a panel: eight rows, the width of a ymm register.
typedef float f32x8 __attribute__((vector_size(32)));
typedef i32 i32x8 __attribute__((vector_size(32)));
typedef int16_t i16x16 __attribute__((vector_size(32)));
typedef i8 i8x32 __attribute__((vector_size(32)));
typedef u8 u8x32 __attribute__((vector_size(32)));
// A whole panel's codes of four consecutive k.
typedef u8 u8x64 __attribute__((vector_size(64)));
typedef i8 i8x64 __attribute__((vector_size(64)));
typedef u16 u16x32 __attribute__((vector_size(64)));

// Unaligned access: memcpy is the one spelling that neither aliasing nor alignment rules can break.
template <class V>
inline V load(const void* p) {
    V v;
    __builtin_memcpy(&v, p, sizeof(V));
    return v;
}

template <class V>
inline void store(void* p, V v) {
    __builtin_memcpy(p, &v, sizeof(V));
}

inline f32x16 splat(float x) {
    return f32x16{} + x;
}
inline f32x16 to_f32(f16x16 h) {
    return __builtin_convertvector(h, f32x16);
}
inline f32x16 to_f32(i32x16 i) {
    return __builtin_convertvector(i, f32x16);
}
inline f16x16 to_f16(f32x16 f) {
    return __builtin_convertvector(f, f16x16);
}

// What a quantiser makes of a block's codes: their sum, and the form of it that the target's products start
// from.
struct CodeSums {
    i32 kept, all;
};

inline float sum(f32x16 v) {
    float s[lanes];
    store(s, v);
    // Pairwise, so that the rounding is the same whatever the compiler's vector width.
    for (int step = lanes / 2; step > 0; step /= 2)
        for (int i = 0; i < step; ++i)
            s[i] += s[i + step];
    return s[0];
}

} // namespace ingot_host
