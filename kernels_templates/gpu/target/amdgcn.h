// AMD: gfx9, gfx10, gfx11 and gfx12, by Clang's built-ins alone (no device library, no HIP header).
#pragma once

#include "gpu/types.h"

#define INGOT_KERNEL(threads, groups)                                                                        \
    extern "C" __attribute__((global, visibility("protected"), amdgpu_flat_work_group_size(threads, threads)))
#define INGOT_DEVICE static __attribute__((device, always_inline)) inline
#define INGOT_MEMBER __attribute__((device, always_inline)) inline

namespace ingot_gpu {

#if defined(__GFX9__)
inline constexpr int lanes = 64;
#else
inline constexpr int lanes = 32;
#endif
// Loads of sixteen bytes that a lane should have on its way. CDNA has many units, and registers for more.
inline constexpr int lane_loads = lanes == 64 ? 12 : 8;
#if defined(__GFX10__)
inline constexpr int offset_reach = 2048;
#else
inline constexpr int offset_reach = 4096;
#endif
inline constexpr bool has_bulk_copy = false;
// LDS of a workgroup, bytes.
#if defined(__gfx950__)
inline constexpr int group_memory = 163840;
#else
inline constexpr int group_memory = 65536;
#endif

INGOT_DEVICE int thread_index() {
    return int(__builtin_amdgcn_workitem_id_x());
}
INGOT_DEVICE int uniform(int v) {
    return __builtin_amdgcn_readfirstlane(v);
}
// The compiler would rather have one sum of all in vector registers.
INGOT_DEVICE const u8* scalar(const u8* p) {
    auto* global = (const __attribute__((address_space(1))) u8*)p;
    asm("" : "+s"(global));
    return (const u8*)global;
}
INGOT_DEVICE int uniform_32(int v) {
    return lanes == 32 ? uniform(v) : v;
}
INGOT_DEVICE int group_index() {
    return int(__builtin_amdgcn_workgroup_id_x());
}
INGOT_DEVICE int group_index_y() {
    return int(__builtin_amdgcn_workgroup_id_y());
}
// From the dispatch packet (HSA runtime specification, "AQL kernel dispatch packet"): threads of the grid and
// of a workgroup.
INGOT_DEVICE int group_count() {
    const auto* const packet = (const __attribute__((address_space(4))) u8*)__builtin_amdgcn_dispatch_ptr();
    const u32 threads = *reinterpret_cast<const __attribute__((address_space(4))) u32*>(packet + 12);
    const u32 of_group = *reinterpret_cast<const __attribute__((address_space(4))) u16*>(packet + 4);
    return int(threads / of_group);
}

extern __attribute__((shared, aligned(16))) u32 dynamic_shared[];
INGOT_DEVICE u8* shared_memory() {
    return reinterpret_cast<u8*>(dynamic_shared);
}

INGOT_DEVICE u32 bits_of(f32 x) {
    return __builtin_bit_cast(u32, x);
}
INGOT_DEVICE f32 float_of(u32 x) {
    return __builtin_bit_cast(f32, x);
}
INGOT_DEVICE f32 uniform_32(f32 v) {
    return float_of(u32(uniform_32(i32(bits_of(v)))));
}
INGOT_DEVICE int lane_index() {
#if defined(__GFX9__)
    return int(__builtin_amdgcn_mbcnt_hi(~0u, __builtin_amdgcn_mbcnt_lo(~0u, 0u)));
#else
    return int(__builtin_amdgcn_mbcnt_lo(~0u, 0u));
#endif
}
INGOT_DEVICE i32 shuffle_xor(i32 v, int mask) {
    return __builtin_amdgcn_ds_bpermute((lane_index() ^ mask) << 2, v);
}
INGOT_DEVICE u32 shuffle_xor(u32 v, int mask) {
    return u32(shuffle_xor(i32(v), mask));
}
INGOT_DEVICE f32 shuffle_xor(f32 v, int mask) {
    return float_of(shuffle_xor(bits_of(v), mask));
}
INGOT_DEVICE u64 shuffle_xor(u64 v, int mask) {
    return u64(shuffle_xor(u32(v >> 32), mask)) << 32 | shuffle_xor(u32(v), mask);
}
// Within a row of 16 lanes by the vector unit (DPP), between two rows as the target can.
template <int Control>
INGOT_DEVICE i32 from_row(i32 v) {
    return __builtin_amdgcn_update_dpp(0, v, Control, 0xf, 0xf, true);
}
INGOT_DEVICE i32 from_other_row(i32 v) {
#if defined(__GFX9__)
    return __builtin_amdgcn_ds_swizzle(v, 0x401f); // of 32 lanes, bit 4 of the lane's index is flipped
#else
    return i32(__builtin_amdgcn_permlanex16(0, u32(v), 0x76543210u, 0xfedcba98u, false, true));
#endif
}
template <class T, class Move>
INGOT_DEVICE T by_words(T v, Move move) {
    if constexpr (sizeof(T) == 8)
        return T(u32(move(i32(v >> 32)))) << 32 | u32(move(i32(v)));
    else
        return __builtin_bit_cast(T, move(__builtin_bit_cast(i32, v)));
}
template <class T, class F>
INGOT_DEVICE T fold_32(T v, F f) {
    v = f(v, by_words(v, from_row<0xb1>));  // quad_perm: the neighbour
    v = f(v, by_words(v, from_row<0x4e>));  // quad_perm: the other two of four
    v = f(v, by_words(v, from_row<0x141>)); // row_half_mirror: the other four of eight
    v = f(v, by_words(v, from_row<0x140>)); // row_mirror: the other eight
    return f(v, by_words(v, from_other_row));
}
INGOT_DEVICE u32 max_of_32(u32 v) {
    return fold_32(v, [](u32 a, u32 b) { return a > b ? a : b; });
}
INGOT_DEVICE i32 sum_of_32(i32 v) {
    return fold_32(v, [](i32 a, i32 b) { return a + b; });
}
INGOT_DEVICE i32 dot4(i32 sum, u32 a, u32 b) {
#if defined(__GFX11__) || defined(__GFX12__)
    return __builtin_amdgcn_sudot4(true, int(a), true, int(b), sum, false);
#else
    return __builtin_amdgcn_sdot4(int(a), int(b), sum, false);
#endif
}
#if defined(__GFX11__) || defined(__GFX12__)
inline constexpr bool has_mixed_dot4 = true;
INGOT_DEVICE i32 dot4_mixed(i32 sum, u32 a, u32 b) {
    return __builtin_amdgcn_sudot4(false, int(a), true, int(b), sum, false);
}
#else
inline constexpr bool has_mixed_dot4 = false;
INGOT_DEVICE i32 dot4_mixed(i32 sum, u32, u32) {
    return sum;
}
#endif
INGOT_DEVICE void barrier() {
    __builtin_amdgcn_fence(__ATOMIC_RELEASE, "workgroup");
    __builtin_amdgcn_s_barrier();
    __builtin_amdgcn_fence(__ATOMIC_ACQUIRE, "workgroup");
}
// Without a copying wave all threads of the workgroup take part.
template <int N>
INGOT_DEVICE void part_barrier() {
    barrier();
}
// Lanes run in step; what they left in shared memory must be there before others read it.
INGOT_DEVICE void wave_barrier() {
    __builtin_amdgcn_fence(__ATOMIC_RELEASE, "wavefront");
    __builtin_amdgcn_wave_barrier();
    __builtin_amdgcn_fence(__ATOMIC_ACQUIRE, "wavefront");
}
INGOT_DEVICE void keep_order() {
#if __has_builtin(__builtin_amdgcn_sched_barrier)
    __builtin_amdgcn_sched_barrier(0);
#else
    asm volatile("" ::: "memory");
#endif
}
INGOT_DEVICE void fence() {
    __builtin_amdgcn_fence(__ATOMIC_SEQ_CST, "agent");
}
INGOT_DEVICE u32 atomic_add(u32* p, u32 v) {
    return __hip_atomic_fetch_add(p, v, __ATOMIC_RELAXED, __HIP_MEMORY_SCOPE_AGENT);
}
INGOT_DEVICE u64 atomic_max(u64* p, u64 v) {
    return __hip_atomic_fetch_max(p, v, __ATOMIC_RELAXED, __HIP_MEMORY_SCOPE_AGENT);
}
typedef u32 WordVector __attribute__((ext_vector_type(4)));
INGOT_DEVICE Words4 load_streaming(const void* p) {
    const WordVector v = __builtin_nontemporal_load(static_cast<const WordVector*>(p));
    return {v.x, v.y, v.z, v.w};
}
INGOT_DEVICE f32 load_fresh(const f32* p) {
    return float_of(
        __hip_atomic_load(reinterpret_cast<const u32*>(p), __ATOMIC_RELAXED, __HIP_MEMORY_SCOPE_AGENT));
}
INGOT_DEVICE u64 load_fresh(const u64* p) {
    return __hip_atomic_load(p, __ATOMIC_RELAXED, __HIP_MEMORY_SCOPE_AGENT);
}

INGOT_DEVICE f32 f16_to_f32(u16 h) {
    return f32(__builtin_bit_cast(_Float16, h));
}
INGOT_DEVICE u16 f32_to_f16(f32 f) {
    return __builtin_bit_cast(u16, _Float16(f));
}
// Bytes 0 and 2 of a word (which = 0), or 1 and 3, each below a byte 0x64.
INGOT_DEVICE u32 bytes_below_64(u32 a, int which) {
    return __builtin_amdgcn_perm(0x64646464u, a, which == 0 ? 0x04020400u : 0x04030401u);
}
// (a & mask) | bits
INGOT_DEVICE u32 masked_or(u32 a, u32 mask, u32 bits) {
    return (a & mask) | bits;
}
// Pairs of f16 in a word, the first in the low half.
typedef _Float16 F16Pair __attribute__((ext_vector_type(2)));
INGOT_DEVICE u32 pair_f16(f32 first, f32 second) {
    return __builtin_bit_cast(u32, F16Pair{_Float16(first), _Float16(second)});
}
INGOT_DEVICE u32 sub_pairs(u32 a, u32 b) {
    return __builtin_bit_cast(u32, __builtin_bit_cast(F16Pair, a) - __builtin_bit_cast(F16Pair, b));
}
INGOT_DEVICE u32 mul_pairs(u32 a, u32 b) {
    return __builtin_bit_cast(u32, __builtin_bit_cast(F16Pair, a) * __builtin_bit_cast(F16Pair, b));
}
// One instruction: products and sums contract (codegen/compiler_flags.cpp).
INGOT_DEVICE u32 fma_pairs(u32 a, u32 b, u32 c) {
    return __builtin_bit_cast(u32, __builtin_bit_cast(F16Pair, a) * __builtin_bit_cast(F16Pair, b) +
                                       __builtin_bit_cast(F16Pair, c));
}
INGOT_DEVICE f32 dot2(f32 sum, u32 a, u32 b) {
    return __builtin_amdgcn_fdot2(__builtin_bit_cast(F16Pair, a), __builtin_bit_cast(F16Pair, b), sum, false);
}
INGOT_DEVICE u32 low_halves(u32 a, u32 b) {
    return __builtin_amdgcn_perm(b, a, 0x05040100u);
}
INGOT_DEVICE u32 high_halves(u32 a, u32 b) {
    return __builtin_amdgcn_perm(b, a, 0x07060302u);
}
INGOT_DEVICE f32 exp(f32 x) {
#if __has_builtin(__builtin_amdgcn_exp2f)
    return __builtin_amdgcn_exp2f(x * 1.44269504f);
#else // Clang before 17 (hipRTC of ROCm 5) makes the same instruction of this, later ones more
    return __builtin_exp2f(x * 1.44269504f);
#endif
}
// Within a few units in the last place.
INGOT_DEVICE f32 reciprocal(f32 x) {
    return __builtin_amdgcn_rcpf(x);
}
INGOT_DEVICE f32 max(f32 a, f32 b) {
    return __builtin_fmaxf(a, b);
}
INGOT_DEVICE f32 abs(f32 a) {
    return __builtin_fabsf(a);
}
INGOT_DEVICE f32 tanh(f32 x) {
    const f32 e = exp(-2.0f * abs(x));
    return __builtin_copysignf((1.0f - e) / (1.0f + e), x);
}
INGOT_DEVICE f32 sqrt(f32 x) {
    return __builtin_amdgcn_sqrtf(x);
}
INGOT_DEVICE f32 rsqrt(f32 x) {
    return 1.0f / sqrt(x);
}
INGOT_DEVICE i32 round_to_int(f32 x) {
    return i32(__builtin_rintf(x));
}
// The hardware takes turns, and few of them: the angle is reduced with its rounding error carried along (Cody
// & Waite 1980, two parts of 1/2π).
INGOT_DEVICE void sine_cosine(f32 x, f32& s, f32& c) {
    const f32 high = 0.159154936671257f, low = 5.9197e-9f; // 1/2π
    const f32 turns = x * high;
    const f32 error = __builtin_fmaf(x, high, -turns) + x * low;
    const f32 part = (turns - __builtin_rintf(turns)) + error;
    s = __builtin_amdgcn_sinf(part);
    c = __builtin_amdgcn_cosf(part);
}

// Without bulk copies nothing waits for them.
INGOT_DEVICE void mbarrier_init(u64*, u32) {}
INGOT_DEVICE void mbarrier_init_fence() {}
INGOT_DEVICE void mbarrier_expect(u64*, u32) {}
INGOT_DEVICE void mbarrier_arrive(u64*) {}
INGOT_DEVICE void mbarrier_wait(u64*, u32) {}
INGOT_DEVICE void bulk_copy(void*, const void*, u32, u64*) {}

INGOT_DEVICE void wait_for_dependencies() {}
INGOT_DEVICE void start_dependents() {}

} // namespace ingot_gpu
