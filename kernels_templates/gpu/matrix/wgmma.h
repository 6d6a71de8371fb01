// NVIDIA, sm_90a: products of a warpgroup (PTX ISA, "wgmma.mma_async"), left operand in registers, right in
// shared memory in K-major order with a swizzle of 128 bytes.
#pragma once

#include "gpu/target.h"

namespace ingot_gpu {

// Sums of a product of 64 rows and 128 columns, as the warpgroup's threads hold them: x[4i + 2h + e] is
// result (row 16w + l / 4 + 8h, column 8i + l % 4 * 2 + e) for lane l of warp w.
struct WarpgroupSums {
    f32 x[64];
};

// Of 128 columns (tokens), 64 f16 of each: 128 bytes a column, groups of eight columns one after the other.
// Sixteen bytes c of column n lie at chunk c ^ n % 8. Aligned to 1 KiB.
inline constexpr int right_panel_bytes = 128 * 128;
INGOT_DEVICE int right_panel_offset(int column, int chunk) {
    return column * 128 + ((chunk ^ (column & 7)) << 4);
}
// Matrix descriptor of sixteen f16 of each column, `k` of 0..3 in the panel.
INGOT_DEVICE u64 right_panel(const u8* panel, int k) {
    constexpr u64 group_stride = 1024, swizzle_128 = u64(1) << 62;
    return (shared_address(panel) + u32(k) * 32) >> 4 | u64(1) << 16 | group_stride >> 4 << 32 | swizzle_128;
}

// Before the first product, and after registers that it reads or sums up in were written.
INGOT_DEVICE void products_fence() {
    asm volatile("wgmma.fence.sync.aligned;" ::: "memory");
}
INGOT_DEVICE void products_commit() {
    asm volatile("wgmma.commit_group.sync.aligned;" ::: "memory");
}
// Until all of this warpgroup's products are done.
INGOT_DEVICE void products_wait(WarpgroupSums& s) {
    asm volatile("wgmma.wait_group.sync.aligned 0;" ::: "memory");
#pragma unroll
    for (int i = 0; i < 64; ++i)
        asm volatile("" : "+f"(s.x[i])::"memory");
}

// s += left * right: 64 x 16 by 16 x 128. `left` holds f16 pairs as mma.m16n8k16 has them: row l / 4, columns
// l % 4 * 2 + {0, 1}; row + 8; row, columns + 8; row + 8, columns + 8.
INGOT_DEVICE void multiply(WarpgroupSums& s, u32 left0, u32 left1, u32 left2, u32 left3, u64 right) {
#define INGOT_SUMS4(i) "+f"(s.x[i]), "+f"(s.x[i + 1]), "+f"(s.x[i + 2]), "+f"(s.x[i + 3])
#define INGOT_SUMS16(i) INGOT_SUMS4(i), INGOT_SUMS4(i + 4), INGOT_SUMS4(i + 8), INGOT_SUMS4(i + 12)
    asm volatile("wgmma.mma_async.sync.aligned.m64n128k16.f32.f16.f16 "
                 "{%0, %1, %2, %3, %4, %5, %6, %7, %8, %9, %10, %11, %12, %13, %14, %15, "
                 "%16, %17, %18, %19, %20, %21, %22, %23, %24, %25, %26, %27, %28, %29, %30, %31, "
                 "%32, %33, %34, %35, %36, %37, %38, %39, %40, %41, %42, %43, %44, %45, %46, %47, "
                 "%48, %49, %50, %51, %52, %53, %54, %55, %56, %57, %58, %59, %60, %61, %62, %63}, "
                 "{%64, %65, %66, %67}, %68, 1, 1, 1, 0;"
                 : INGOT_SUMS16(0), INGOT_SUMS16(16), INGOT_SUMS16(32), INGOT_SUMS16(48)
                 : "r"(left0), "r"(left1), "r"(left2), "r"(left3), "l"(right));
#undef INGOT_SUMS16
#undef INGOT_SUMS4
}

// What was written to shared memory becomes visible to products.
INGOT_DEVICE void products_see_writes() {
    asm volatile("fence.proxy.async.shared::cta;" ::: "memory");
}

} // namespace ingot_gpu
