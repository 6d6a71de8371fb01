// RDNA 3: v_wmma_f32_16x16x16_f16, wave32 (AMD RDNA3 ISA, "WMMA"). Lanes 16..31 repeat the operands of lanes
// 0..15.
#pragma once

#include "gpu/target.h"

namespace ingot_gpu {

inline constexpr int matrix_depth = 16;

typedef _Float16 Operand16 __attribute__((ext_vector_type(16)));
typedef f32 Sums16 __attribute__((ext_vector_type(8)));

INGOT_DEVICE void clear(Sums16& s) {
    s = Sums16{};
}
INGOT_DEVICE Operand16 load_left(const u16* p, int stride) {
    return *reinterpret_cast<const Operand16*>(p + thread_index() % 16 * stride);
}
INGOT_DEVICE Operand16 load_right(const u16* p, int stride) {
    return load_left(p, stride);
}
INGOT_DEVICE void multiply(Sums16& s, const Operand16& l, const Operand16& r) {
    s = __builtin_amdgcn_wmma_f32_16x16x16_f16_w32(l, r, s);
}
INGOT_DEVICE void store(const Sums16& s, f32* out, int stride) {
    const int lane = thread_index() % 32;
#pragma unroll
    for (int i = 0; i < 8; ++i)
        out[lane % 16 * stride + 2 * i + lane / 16] = s[i];
}

} // namespace ingot_gpu
