// CDNA: v_mfma_f32_16x16x16_f16, on gfx950 its own form of twice the depth, v_mfma_f32_16x16x32_f16 (AMD
// CDNA3 and CDNA4 ISA, "Matrix fused-multiply-add"). A lane has a row and a quarter of the columns.
#pragma once

#include "gpu/target.h"

namespace ingot_gpu {

#if defined(__gfx950__)
inline constexpr int matrix_depth = 32;
#else
inline constexpr int matrix_depth = 16;
#endif
inline constexpr int lane_depth = matrix_depth / 4;

typedef _Float16 Operand16 __attribute__((ext_vector_type(lane_depth)));
typedef f32 Sums16 __attribute__((ext_vector_type(4)));

INGOT_DEVICE void clear(Sums16& s) {
    s = Sums16{};
}
INGOT_DEVICE Operand16 load_left(const u16* p, int stride) {
    const int lane = thread_index() % 64;
    return *reinterpret_cast<const Operand16*>(p + lane % 16 * stride + lane / 16 * lane_depth);
}
INGOT_DEVICE Operand16 load_right(const u16* p, int stride) {
    return load_left(p, stride);
}
INGOT_DEVICE void multiply(Sums16& s, const Operand16& l, const Operand16& r) {
#if defined(__gfx950__)
    s = __builtin_amdgcn_mfma_f32_16x16x32_f16(l, r, s, 0, 0, 0);
#else
    s = __builtin_amdgcn_mfma_f32_16x16x16f16(l, r, s, 0, 0, 0);
#endif
}
INGOT_DEVICE void store(const Sums16& s, f32* out, int stride) {
    const int lane = thread_index() % 64;
#pragma unroll
    for (int i = 0; i < 4; ++i)
        out[lane % 16 * stride + lane / 16 * 4 + i] = s[i];
}

} // namespace ingot_gpu
