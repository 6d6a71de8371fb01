// Attention of one tile of queries over a range of pages: two register-blocked products, and the online
// softmax between them. A tile's rows are (query token, query head of the group) pairs, so that a vector of
// keys or values, once loaded and widened, serves every query head that shares it.
#pragma once

#include "kv_cache.h"
#include "math.h"

namespace ingot_host {

// Accumulators that the register file holds beside the operands, as 16-lane vectors, and the tile of rows x
// vectors that spends the fewest loads on a multiply-add.
#ifdef __AVX512F__
inline constexpr int register_vectors = 24, register_rows = 12;
#else
inline constexpr int register_vectors = 6, register_rows = 6;
#endif

constexpr int round_up(int x, int to) {
    return (x + to - 1) / to * to;
}
constexpr int common_divisor(int a, int b) {
    return b == 0 ? a : common_divisor(b, a % b);
}

// Vectors side by side in one pass over `count` of them with `rows` rows: as many as registers allow, if need
// be fewer where that leaves no remainder.
constexpr int vectors_a_pass(int rows, int count) {
    const int most = rows == 1 ? 8 : register_vectors / rows < 1 ? 1 : register_vectors / rows;
    if (count <= most) return count;
    for (int n = most; 2 * n > most; --n)
        if (count % n == 0) return n;
    return most;
}

// The register blocking for tiles of up to `Rows` rows.
template <int Rows, int D, int P>
struct RowBlock {
    static constexpr int blocks = (Rows + register_rows - 1) / register_rows;
    static constexpr int rows = (Rows + blocks - 1) / blocks;
    static constexpr int scores = [] {
        int n = vectors_a_pass(rows, P / lanes);
        while (P / lanes % n != 0)
            --n;
        return n;
    }();
    static constexpr int values = vectors_a_pass(rows, D / lanes);
};

template <int Heads, int KvHeads, int D, int P, int Block, int MaxTokens>
struct AttentionShape {
    static_assert(Heads % KvHeads == 0 && D % 8 == 0 && D >= 16 && P % lanes == 0);
    static constexpr int head_dim = D, width = round_up(D, lanes), page = P, heads = Heads,
                         kv_heads = KvHeads;
    static constexpr int group = Heads / KvHeads;
    // KV heads whose outputs together end at a block's border.
    static constexpr int joined = Block / common_divisor(Block, group* D);
    static_assert(KvHeads % joined == 0, "a row of the output must be whole blocks");

    // About 48 rows use a page often enough that loading it no longer counts; more would leave the inner
    // caches.
    static constexpr int tile_tokens = MaxTokens == 1 || joined * group >= 48 ? 1 : 48 / (joined * group);
    using Single = RowBlock<group, D, P>;
    using Many = RowBlock<round_up(tile_tokens* group, register_rows), D, P>;
    static constexpr int rows = round_up(group, Single::rows) > round_up(tile_tokens* group, Many::rows)
                                    ? round_up(group, Single::rows)
                                    : round_up(tile_tokens* group, Many::rows);

    // Relative time for one page of a tile of so many tokens: its rows, and what a page costs besides.
    static constexpr int cost(int tokens) {
        return tokens == 1 ? group + 2 : round_up(tokens * group, Many::rows) + 2;
    }

    // What a sweep leaves: unnormalised output, the largest score (in units of log 2) and the sum of weights.
    struct alignas(64) Partial {
        alignas(64) float o[joined * rows][width];
        alignas(64) float max[joined * rows];
        alignas(64) float sum[joined * rows];
    };
    static_assert(sizeof(Partial) + u64(joined) * rows * (D + P + 32) * 4 < 240 * 1024,
                  "tile exceeds the stack");
};

// s[r][16 * NR * block ..] = q[r] . k: `q` rows of D floats, `k` at the block's first position.
template <int MR, int NR, int D, int P, class E>
inline void score_block(const float* q, const E* k, float* s) {
    f32x16 acc[MR][NR];
#pragma unroll
    for (int r = 0; r < MR; ++r)
#pragma unroll
        for (int n = 0; n < NR; ++n)
            acc[r][n] = f32x16{};
#pragma clang loop unroll(disable)
    for (int d = 0; d < D; ++d) {
        f32x16 b[NR];
#pragma unroll
        for (int n = 0; n < NR; ++n)
            b[n] = load_cache(k + d * P + n * lanes);
#pragma unroll
        for (int r = 0; r < MR; ++r) {
            const f32x16 a = broadcast(q[r * D + d]);
#pragma unroll
            for (int n = 0; n < NR; ++n)
                acc[r][n] += a * b[n];
        }
    }
#pragma unroll
    for (int r = 0; r < MR; ++r)
#pragma unroll
        for (int n = 0; n < NR; ++n)
            store(s + r * P + n * lanes, acc[r][n]);
}

// o[r] = o[r] * decay[r] + sum over the first `positions` of s[r][p] * v[p], for NR vectors of channels.
// Half: the last of them has eight lanes only.
template <int MR, int NR, bool Half, int D, int P, int Width, class E>
inline void value_block(const float* s, const float* decay, const E* v, int positions, float* o) {
    f32x16 acc[MR][NR];
#pragma unroll
    for (int r = 0; r < MR; ++r)
#pragma unroll
        for (int n = 0; n < NR; ++n)
            acc[r][n] = load<f32x16>(o + r * Width + n * lanes) * decay[r];
#pragma clang loop unroll(disable)
    for (int p = 0; p < positions; ++p) {
        f32x16 b[NR];
#pragma unroll
        for (int n = 0; n < NR; ++n)
            b[n] = Half && n == NR - 1 ? load_cache_half(v + p * D + n * lanes)
                                       : load_cache(v + p * D + n * lanes);
#pragma unroll
        for (int r = 0; r < MR; ++r) {
            const f32x16 a = broadcast(s[r * P + p]);
#pragma unroll
            for (int n = 0; n < NR; ++n)
                acc[r][n] += a * b[n];
        }
    }
#pragma unroll
    for (int r = 0; r < MR; ++r)
#pragma unroll
        for (int n = 0; n < NR; ++n)
            store(o + r * Width + n * lanes, acc[r][n]);
}

// Turns a row of scores into weights 2^(s - max), of which those past the first `limit` are zero. Keeps the
// running maximum and (by lanes) sum; the result is the factor by which what was summed before must shrink.
template <int P, bool Masked>
inline float softmax_row(float* s, int limit, float& max, f32x16& sum) {
    constexpr int count = P / lanes;
    const i32x16 lane = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15};
    f32x16 x[count];
    f32x16 top = broadcast(max);
#pragma unroll
    for (int i = 0; i < count; ++i) {
        x[i] = load<f32x16>(s + i * lanes);
        if (Masked) x[i] = lane < limit - i * lanes ? x[i] : broadcast(-__builtin_inff());
        top = larger(top, x[i]);
    }
    // Finite from the start (see `lowest`), so that a row without any position gives zeros, not infinity -
    // infinity.
    const f32x16 m = broadcast(largest(top));
    const float decay = exp2_nonpositive(broadcast(max) - m)[0];
    f32x16 total = sum * decay;
#pragma unroll
    for (int i = 0; i < count; ++i) {
        const f32x16 w = exp2_nonpositive(x[i] - m);
        total += w;
        store(s + i * lanes, w);
    }
    sum = total;
    max = m[0];
    return decay;
}

// The products of one page, rows in blocks. `limit` is the number of the page's positions that the tile's
// first token sees; each later one sees one more.
template <class Shape, class Block, class E>
inline void attend_page(const float* q, const E* k, const E* v, int rows, int tokens, int limit, float* s,
                        float* decay, float* max, f32x16* sum, float* o) {
    constexpr int D = Shape::head_dim, P = Shape::page, width = Shape::width, MR = Block::rows;
    constexpr int step = Block::scores * lanes;
    // Positions that the last row of a block of rows sees.
    const auto seen = [&](int r) {
        const int token = (r + MR - 1) / Shape::group;
        const int n = limit + (token < tokens ? token : tokens - 1);
        return n < P ? n : P;
    };
    for (int r = 0; r < rows; r += MR) {
        const int n = seen(r);
        for (int p = 0; p < n; p += step)
            score_block<MR, Block::scores, D, P>(q + r * D, k + p, s + r * P + p);
    }
    for (int t = 0, r = 0; t < tokens; ++t)
        for (int g = 0; g < Shape::group; ++g, ++r)
            decay[r] = limit >= P ? softmax_row<P, false>(s + r * P, P, max[r], sum[r])
                                  : softmax_row<P, true>(s + r * P, limit + t, max[r], sum[r]);
    constexpr int whole = D / lanes, in_passes = whole / Block::values * Block::values;
    constexpr bool half = D % lanes != 0;
    constexpr int rest = whole - in_passes + half;
    for (int r = 0; r < rows; r += MR) {
        const int n = seen(r);
        for (int i = 0; i < in_passes; i += Block::values)
            value_block<MR, Block::values, false, D, P, width>(s + r * P, decay + r, v + i * lanes, n,
                                                               o + r * width + i * lanes);
        if constexpr (rest > 0)
            value_block<MR, rest, half, D, P, width>(s + r * P, decay + r, v + in_passes * lanes, n,
                                                     o + r * width + in_passes * lanes);
    }
}

// Sweeps pages [first, last) of a tile whose tokens start at `position` into `a`, for the heads from
// `kv_head` on. `q` is the row of the tile's first token, `pages` the sequence's row of the page table.
template <class Shape, class Block, class E>
inline void attend_pages(const float* q, const E* k, const E* v, const i32* pages, int position, int tokens,
                         int kv_head, int first, int last, float scale, typename Shape::Partial& a) {
    constexpr int D = Shape::head_dim, P = Shape::page, width = Shape::width;
    constexpr float lowest = -3e38f, log2_e = 1.44269504f;
    const int queries = tokens * Shape::group, rows = round_up(queries, Block::rows);
    alignas(64) float scaled[Shape::joined * Shape::rows * D];
    alignas(64) float s[Shape::rows * P];
    alignas(64) float decay[Shape::rows];
    f32x16 sum[Shape::joined * Shape::rows];
    for (int j = 0; j < Shape::joined; ++j) {
        float* to = scaled + j * Shape::rows * D;
        for (int r = 0; r < rows; ++r) {
            const int token = r / Shape::group, head = (kv_head + j) * Shape::group + r % Shape::group;
            const float* from = q + token * (Shape::heads * D) + head * D;
            // Rows that only fill up a block of rows compute with zeros.
            for (int d = 0; d < D; ++d)
                to[r * D + d] = r < queries ? from[d] * (scale * log2_e) : 0.0f;
            for (int i = 0; i < width; i += lanes)
                store(a.o[j * Shape::rows + r] + i, f32x16{});
            a.max[j * Shape::rows + r] = lowest;
            sum[j * Shape::rows + r] = f32x16{};
        }
    }
    for (int r = 0; r < rows; ++r)
        decay[r] = 0.0f;
    for (int page = first; page < last; ++page)
        for (int j = 0; j < Shape::joined; ++j) {
            const u64 at = (u64(u32(pages[page])) * Shape::kv_heads + u32(kv_head + j)) * (D * P);
            const int r = j * Shape::rows;
            attend_page<Shape, Block>(scaled + r * D, k + at, v + at, rows, tokens, position + 1 - page * P,
                                      s, decay, a.max + r, sum + r, a.o[r]);
        }
    for (int j = 0; j < Shape::joined; ++j)
        for (int r = j * Shape::rows; r < j * Shape::rows + queries; ++r)
            a.sum[r] = ingot_host::sum(sum[r]);
}

} // namespace ingot_host
