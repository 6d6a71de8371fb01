// GPUs without matrix instructions: packed products of two f16 with a sum in f32 (v_dot2_f32_f16). A lane has
// half of a row of the result.
#pragma once

#include "gpu/target.h"

namespace ingot_gpu {

inline constexpr int matrix_depth = 16;

typedef _Float16 Pair __attribute__((ext_vector_type(2)));

struct Operand16 {
    const u16* p; // where it is: every lane reads what it needs
    int stride;
};
typedef f32 Sums16 __attribute__((ext_vector_type(8)));

INGOT_DEVICE void clear(Sums16& s) {
    s = Sums16{};
}
INGOT_DEVICE Operand16 load_left(const u16* p, int stride) {
    return {p, stride};
}
INGOT_DEVICE Operand16 load_right(const u16* p, int stride) {
    return {p, stride};
}
INGOT_DEVICE void multiply(Sums16& s, const Operand16& l, const Operand16& r) {
    const int lane = thread_index() % 32, row = lane % 16, first = lane / 16 * 8;
    const Pair* const x = reinterpret_cast<const Pair*>(l.p + row * l.stride);
#pragma unroll
    for (int j = 0; j < 8; ++j) {
        // Not all rows at once: older compilers would load them all, and spill.
        if (j % 2 == 0) asm volatile("" ::: "memory");
        const Pair* const y = reinterpret_cast<const Pair*>(r.p + (first + j) * r.stride);
#pragma unroll
        for (int k = 0; k < matrix_depth / 2; ++k)
            s[j] = __builtin_amdgcn_fdot2(x[k], y[k], s[j], false);
    }
}
INGOT_DEVICE void store(const Sums16& s, f32* out, int stride) {
    const int lane = thread_index() % 32;
#pragma unroll
    for (int j = 0; j < 8; ++j)
        out[(lane / 16 * 8 + j) * stride + lane % 16] = s[j];
}

} // namespace ingot_gpu
