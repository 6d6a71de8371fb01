// NVIDIA: mma.sync m16n8k16 (PTX ISA, "Matrix fragments for mma.m16n8k16"), two for 16 x 16.
#pragma once

#include "gpu/target.h"

namespace ingot_gpu {

inline constexpr int matrix_depth = 16;

struct Operand16 {
    u32 x[4];
};
struct Sums16 {
    f32 x[2][4]; // columns 0..7 and 8..15 of the result
};

INGOT_DEVICE void clear(Sums16& s) {
#pragma unroll
    for (int i = 0; i < 8; ++i)
        s.x[i / 4][i % 4] = 0;
}

INGOT_DEVICE Operand16 load_matrices(const u16* p) {
    Operand16 o;
    asm volatile("ldmatrix.sync.aligned.m8n8.x4.shared.b16 {%0, %1, %2, %3}, [%4];"
                 : "=r"(o.x[0]), "=r"(o.x[1]), "=r"(o.x[2]), "=r"(o.x[3])
                 : "r"(shared_address(p)));
    return o;
}
// Four 8 x 8 matrices: rows 0..7 and 8..15 of the first eight columns, then of the others.
INGOT_DEVICE Operand16 load_left(const u16* p, int stride) {
    const int lane = thread_index() % 32;
    return load_matrices(p + lane % 16 * stride + lane / 16 * 8);
}
// Rows 0..7 of both column halves, then rows 8..15.
INGOT_DEVICE Operand16 load_right(const u16* p, int stride) {
    const int lane = thread_index() % 32;
    return load_matrices(p + (lane % 8 + lane / 16 * 8) * stride + lane / 8 % 2 * 8);
}
// s += left * right: 16 x 16 by 16 x 8, in registers.
INGOT_DEVICE void multiply(f32 (&s)[4], u32 left0, u32 left1, u32 left2, u32 left3, u32 right0, u32 right1) {
    asm volatile(
        "mma.sync.aligned.m16n8k16.row.col.f32.f16.f16.f32 {%0, %1, %2, %3}, {%4, %5, %6, %7}, {%8, %9}, "
        "{%0, %1, %2, %3};"
        : "+f"(s[0]), "+f"(s[1]), "+f"(s[2]), "+f"(s[3])
        : "r"(left0), "r"(left1), "r"(left2), "r"(left3), "r"(right0), "r"(right1));
}
INGOT_DEVICE void multiply(Sums16& s, const Operand16& l, const Operand16& r) {
#pragma unroll
    for (int h = 0; h < 2; ++h)
        multiply(s.x[h], l.x[0], l.x[1], l.x[2], l.x[3], r.x[2 * h], r.x[2 * h + 1]);
}
INGOT_DEVICE void store(const Sums16& s, f32* out, int stride) {
    const int lane = thread_index() % 32, row = lane / 4, column = lane % 4 * 2;
#pragma unroll
    for (int h = 0; h < 2; ++h)
#pragma unroll
        for (int i = 0; i < 4; ++i)
            out[(h * 8 + column + i % 2) * stride + row + i / 2 * 8] = s.x[h][i];
}

} // namespace ingot_gpu
