// What follows a product, or stands alone, one column a lane: 32 lanes have 32 neighbouring columns of one
// token.
#pragma once

#include "gpu/activation.h"

namespace ingot_gpu {

INGOT_DEVICE f32 sigmoid(f32 x) {
    return reciprocal(1.0f + exp(-x));
}
INGOT_DEVICE f32 silu(f32 x) {
    return x * sigmoid(x);
}
// The tanh form of Hendrycks & Gimpel 2016.
INGOT_DEVICE f32 gelu(f32 x) {
    return 0.5f * x * (1.0f + tanh(0.797884561f * (x + 0.044715f * x * x * x)));
}

INGOT_DEVICE f32 sum_of_32(f32 v) {
    return fold_32(v, [](f32 a, f32 b) { return a + b; });
}
INGOT_DEVICE f32 max_of_32(f32 v) {
    return fold_32(v, [](f32 a, f32 b) { return max(a, b); });
}

// Rotates the pair (2i, 2i+1) of a head that the lane's `column` belongs to.
INGOT_DEVICE f32 rotate(f32 x, f32 cosine, f32 sine, int column) {
    const f32 partner = shuffle_xor(x, 1);
    return column % 2 == 0 ? x * cosine - partner * sine : x * cosine + partner * sine;
}

// The 32 values become one block of q8a (activation.h). K: columns of the row.
template <int Rows, int K>
INGOT_DEVICE void store_quantized(u8* to, int row, int column, f32 v) {
    // Absolute values are ordered as their bits are.
    const f32 largest = float_of(max_of_32(bits_of(abs(v)))), scale = largest / 127.0f;
    const i32 code = round_to_int(v * (scale > 1e-30f ? reciprocal(scale) : 0.0f));
    const i32 sum = sum_of_32(code);
    to[u64(u32(row)) * K + column] = u8(code);
    if (column % 32 == 0) {
        f32* const scales = reinterpret_cast<f32*>(to + u64(Rows) * K);
        scales[row * (K / 32) + column / 32] = scale;
        scales[(Rows + row) * (K / 32) + column / 32] = scale * f32(sum);
    }
}

template <int K>
INGOT_DEVICE void store_square_sum(f32* to, int row, int column, f32 v) {
    const f32 sum = sum_of_32(v * v);
    if (column % 32 == 0 && column < K) to[row * ((K + 31) / 32) + column / 32] = sum;
}

// 1 / rms of a row from its sums of squares: loaded by 32 lanes, and later added up by them.
template <int Blocks>
struct NormSums {
    f32 part[(Blocks + 31) / 32];

    INGOT_MEMBER void load(const f32* sums, int row) {
#pragma unroll
        for (int i = 0; i < (Blocks + 31) / 32; ++i) {
            const int block = i * 32 + thread_index() % 32;
            part[i] = block < Blocks ? sums[row * Blocks + block] : 0.0f;
        }
    }
    INGOT_MEMBER f32 scale(f32 columns, f32 eps) const {
        f32 sum = 0;
#pragma unroll
        for (const f32 p : part)
            sum += p;
        return rsqrt(sum_of_32(sum) / columns + eps);
    }
};

// --- Paged cache; `page` is that of the token's position.
// room: attention's weights are relative to this much less than the greatest score. In f16 they are up to
// 2^15 so that small ones stay normal numbers, since CDNA 2 takes others for zero.
struct F16Cache {
    using Number = u16;
    static INGOT_MEMBER u16 from(f32 x) { return f32_to_f16(x); }
    static constexpr f32 room = 10.3972077f; // 15 ln 2
};
struct F32Cache {
    using Number = f32;
    static INGOT_MEMBER f32 from(f32 x) { return x; }
    static constexpr f32 room = 0;
};

// Keys in layout kv_octets: [pages, heads, channels/8, positions, 8].
template <class E, int Heads, int D, int P>
INGOT_DEVICE void append_key(typename E::Number* cache, i32 page, int position, int column, f32 v) {
    const int head = column / D, d = column % D;
    const u64 base = u64(u32(page)) * (Heads * D * P) + u32(head * D * P);
    cache[base + u32((d / 8 * P + position % P) * 8 + d % 8)] = E::from(v);
}

// Values in rows: [pages, heads, positions, channels].
template <class E, int Heads, int D, int P>
INGOT_DEVICE void append_value(typename E::Number* cache, i32 page, int position, int column, f32 v) {
    const int head = column / D, d = column % D;
    const u64 base = u64(u32(page)) * (Heads * D * P) + u32(head * D * P);
    cache[base + u32(position % P * D + d)] = E::from(v);
}

// --- The largest of a row. A key is greater for the better choice: by value, then the lower id; a NaN beats
// all.
INGOT_DEVICE u64 choice_key(f32 v, int id) {
    const u32 bits = bits_of(v);
    const u32 ordered = v != v ? 0xffffffffu : bits >> 31 ? ~bits : bits | 0x80000000u;
    return u64(ordered) << 32 | u32(~u32(id));
}
INGOT_DEVICE i32 chosen_id(u64 key) {
    return u32(key >> 32) == 0xffffffffu ? -1 : i32(~u32(key));
}
INGOT_DEVICE u64 better_of_32(u64 key) {
    return fold_32(key, [](u64 a, u64 b) { return a > b ? a : b; });
}

// The workspace of a choice: zero between launches.
template <int Rows>
struct ChoiceSpace {
    u64 best[Rows];
    u32 arrived;
    u32 padding;
};

// `keys[i]` is the best that this group of 32 lanes saw of row i*Groups + its number; called by the threads
// below 32*Groups. The workgroup that comes last writes the ids and leaves the workspace zero.
template <int Rows, int Groups>
INGOT_DEVICE void choose(ChoiceSpace<Rows>* space, const u64 (&keys)[(Rows + Groups - 1) / Groups], int rows,
                         i32* ids) {
#pragma unroll
    for (int i = 0; i < (Rows + Groups - 1) / Groups; ++i) {
        const u64 key = better_of_32(keys[i]);
        const int row = i * Groups + thread_index() / 32;
        if (thread_index() % 32 == 0 && row < rows) atomic_max(&space->best[row], key);
    }
    fence();
    part_barrier<32 * Groups>();
    if (thread_index() != 0) return;
    if (atomic_add(&space->arrived, 1) != u32(group_count()) - 1) return;
    fence();
    for (int row = 0; row < rows; ++row) {
        ids[row] = chosen_id(load_fresh(&space->best[row]));
        space->best[row] = 0;
    }
    space->arrived = 0;
}

} // namespace ingot_gpu
