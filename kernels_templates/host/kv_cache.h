// The paged key/value cache of one layer, and appending to it. A page holds P positions of one sequence:
//   k: E[num_pages][kv_heads][D][P], transposed, so that sixteen positions of one channel are one vector;
//   v: E[num_pages][kv_heads][P][D].
#pragma once

#include "simd.h"

namespace ingot_host {

// Cache elements as f32 lanes, and back.
inline f32x16 load_cache(const _Float16* p) {
    return to_f32(load<f16x16>(p));
}
inline f32x16 load_cache(const float* p) {
    return load<f32x16>(p);
}

typedef _Float16 f16x8 __attribute__((vector_size(16)));
typedef float f32x8 __attribute__((vector_size(32)));

// The lower eight lanes only, zeros above: the end of a row whose width is an odd multiple of eight.
inline f32x16 load_cache_half(const _Float16* p) {
    const f16x8 h = load<f16x8>(p);
    return to_f32(__builtin_shufflevector(h, f16x8{}, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15));
}
inline f32x16 load_cache_half(const float* p) {
    const f32x8 h = load<f32x8>(p);
    return __builtin_shufflevector(h, f32x8{}, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15);
}

inline void to_cache(f32x16 y, _Float16* out) {
    store(out, to_f16(y));
}
inline void to_cache(f32x16 y, float* out) {
    store(out, y);
}

// Appends channels row .. row+valid-1 (of kv_heads * D, heads one after the other) of the key at `position`.
// `valid` <= 16; lanes past it are not written. `pages_of_seq` is the sequence's own row of the page table.
template <class E, int KvHeads, int D, int P>
inline void append_k(E* k, const i32* pages_of_seq, int position, int row, f32x16 y, int valid = lanes) {
    static_assert(D % 8 == 0 && P % lanes == 0);
    // Within a page channel follows channel across the heads' borders, so a straddling panel is no special
    // case.
    E* to = k + (u64(u32(pages_of_seq[position / P])) * (KvHeads * D) + u32(row)) * P + position % P;
    E e[lanes];
    to_cache(y, e);
    if (valid == lanes) {
#pragma unroll
        for (int i = 0; i < lanes; ++i)
            to[i * P] = e[i];
        return;
    }
    for (int i = 0; i < valid; ++i)
        to[i * P] = e[i];
}

// The same for the value. Panels start at multiples of sixteen wherever D is one, and then never straddle
// heads.
template <class E, int KvHeads, int D, int P>
inline void append_v(E* v, const i32* pages_of_seq, int position, int row, f32x16 y, int valid = lanes) {
    static_assert(D % 8 == 0 && P % lanes == 0);
    E* page = v + u64(u32(pages_of_seq[position / P])) * (KvHeads * D * P) + position % P * D;
    E e[lanes];
    to_cache(y, e);
    const int head = row / D, d = row % D;
    if (valid == lanes && d + lanes <= D) {
        to_cache(y, page + head * (P * D) + d);
        return;
    }
    for (int i = 0; i < valid; ++i)
        page[(row + i) / D * (P * D) + (row + i) % D] = e[i];
}

} // namespace ingot_host
