// Attention over the paged cache in f16 on NVIDIA's matrix instructions, of one token or of many.
//
// A wave has a tile of up to 16 rows: the query heads that share a KV head, of one token or of several. In
// steps of 32 positions their scores are a product of 16 x channels by channels x 8, the outputs one of
// 16 x positions by positions x 8. Operands come straight from memory: the order of what is summed, and of
// columns, is such that a lane loads sixteen bytes (PTX ISA, "Matrix fragments for mma.m16n8k16"):
//   keys: lane l has octet 4j + l % 4 of position 8n + l / 4, channels of two products of 16;
//   values: octet l / 4 of positions 16u + l % 4 * 2 + {0, 1, 8, 9}; product i has channel i of every octet.
// Scores leave the first product in the form in which weights enter the second. Online softmax with the
// scores in registers: Dao, "FlashAttention-2", 2023.
#pragma once

#include "gpu/attention_parts.h"
#include "gpu/matrix/mma.h"

namespace ingot_gpu {

// P as AttentionStep has it, others as AttentionParts. Alone: waves have tiles of tokens of their own;
// otherwise a workgroup's waves share the positions of one token. NumberParts: f16 of each query and weight,
// 1, or 2 for what f16 loses (tile_product.h) where the result is not rounded to 8 bits anyway.
template <int Heads, int KvHeads, int D, int P, int Tokens, int Splits, int Join, bool Alone, int NumberParts>
struct AttentionTile {
    using Parts = AttentionParts<Heads, KvHeads, D, Tokens, Splits, Join>;
    using Space = typename Parts::Space;
    static constexpr int group = Parts::group;
    static constexpr int queries = Alone ? 16 / group : 1; // tokens of a tile
    static constexpr int rows = queries * group;
    static_assert(rows >= 1 && rows <= 16 && D % 8 == 0 && D <= 128 && P % 32 == 0); // registers hold no more
    static_assert(!Alone || (Splits == 1 && Join == 1 && group * D % 32 == 0));
    static constexpr int octets = D / 8;
    static constexpr int key_groups = (octets + 3) / 4, value_groups = (octets + 7) / 8;
    static constexpr bool two = rows > 8; // whether rows 8..15 are there

    // In shared memory.
    struct Shared {
        union {
            typename Parts::Results results;
            f32 out[attention_warps][rows][D];
        };
    };

    static INGOT_MEMBER Shared& shared() { return *reinterpret_cast<Shared*>(shared_memory()); }

    using Query = u32[NumberParts][key_groups][8];

    // What a lane has of its two rows, l / 4 and l / 4 + 8.
    struct Rows {
        f32 out[value_groups][8][4];
        f32 largest[2], sum[2];
    };

    // One token a workgroup; `out(column, active, value)`.
    template <class Out>
    static INGOT_MEMBER void run(const f32* q, const u16* keys, const u16* values, const i32* positions,
                                 const i32* seqs, const i32* page_table, int pages_of_sequence, f32 scale,
                                 u8* workspace, Out out) {
        const int kv_head = group_index() / Splits, split = group_index() % Splits, token = group_index_y();
        const int warp = thread_index() / 32, lane = thread_index() % 32;
        RawQueries raw;
        load_queries(raw, q, token, token + 1, kv_head, lane);
        const int length = positions[token] + 1, pages = (length + P - 1) / P;
        const i32* const table = page_table + seqs[token] * pages_of_sequence;
        const int active = pages < Splits ? pages : Splits;
        if (split >= active) return;
        Query query;
        convert_queries(query, raw, scale);
        Rows r;
        clear(r);
        const int begin = pages * split / active * (P / 32), end = pages * (split + 1) / active * (P / 32);
        const int limits[2] = {length - 1, length - 1};
        for (int part = begin + warp; part < end && part * 32 < length; part += attention_warps)
            step(r, query, keys, values, table, kv_head, part * 32, limits, lane);
        finish(r);
        typename Parts::Results& s = shared().results;
        store(r, s.out[warp], lane);
        if (lane % 4 == 0) {
#pragma unroll
            for (int h = 0; h < 2; ++h)
                if (lane / 4 + 8 * h < group)
                    s.largest[warp][lane / 4 + 8 * h] = r.largest[h],
                                                   s.sum[warp][lane / 4 + 8 * h] = r.sum[h];
        }
        barrier();
        Parts::finish(s, token, kv_head, split, active, workspace, out);
    }

    // Many tokens; `out(token, column, value)` takes 32 neighbouring columns at a time from 32 lanes.
    template <class Out>
    static INGOT_MEMBER void run_tokens(const f32* q, const u16* keys, const u16* values,
                                        const i32* positions, const i32* seqs, const i32* page_table,
                                        int pages_of_sequence, f32 scale, int tokens, Out out) {
        const int kv_head = group_index(), warp = thread_index() / 32, lane = thread_index() % 32;
        const int first = (group_index_y() * attention_warps + warp) * queries;
        if (first >= tokens) return;
        RawQueries raw;
        load_queries(raw, q, first, tokens, kv_head, lane);
        Query query;
        convert_queries(query, raw, scale);
        Rows r;
        clear(r);
        // The tile's tokens of one sequence after the other; usually there is one.
        for (int begin = first; begin < first + queries && begin < tokens;) {
            int end = begin + 1, last = positions[begin];
            for (; end < first + queries && end < tokens && seqs[end] == seqs[begin]; ++end)
                last = positions[end] > last ? positions[end] : last;
            int limits[2];
#pragma unroll
            for (int h = 0; h < 2; ++h) {
                const int token = first + (lane / 4 + 8 * h) / group;
                limits[h] = token >= begin && token < end ? positions[token] : -1;
            }
            const i32* const table = page_table + seqs[begin] * pages_of_sequence;
            for (int position = 0; position <= last; position += 32)
                step(r, query, keys, values, table, kv_head, position, limits, lane);
            begin = end;
        }
        finish(r);
#pragma unroll
        for (int h = 0; h < 2; ++h) {
            const f32 share = r.sum[h] > 0.0f ? 1.0f / r.sum[h] : 0.0f;
#pragma unroll
            for (int o = 0; o < value_groups; ++o)
#pragma unroll
                for (int i = 0; i < 8; ++i)
                    r.out[o][i][2 * h] *= share, r.out[o][i][2 * h + 1] *= share;
        }
        f32(&mine)[rows][D] = shared().out[warp];
        store(r, mine, lane);
        wave_barrier();
        for (int t = 0; t < queries && first + t < tokens; ++t)
#pragma unroll
            for (int c = lane; c < group * D; c += 32)
                out(first + t, kv_head * (group * D) + c, mine[t * group + c / D][c % D]);
    }

  private:
    static INGOT_MEMBER void clear(Rows& r) {
#pragma unroll
        for (int o = 0; o < value_groups; ++o)
#pragma unroll
            for (int i = 0; i < 32; ++i)
                r.out[o][i / 4][i % 4] = 0;
#pragma unroll
        for (int h = 0; h < 2; ++h)
            r.largest[h] = no_score, r.sum[h] = 0;
    }

    // Rows of `q`, octets as the lane has them of keys.
    struct RawQueries {
        f32 x[two ? 2 : 1][key_groups][8];
    };
    static INGOT_MEMBER void load_queries(RawQueries& raw, const f32* q, int first, int tokens, int kv_head,
                                          int lane) {
#pragma unroll
        for (int h = 0; h < (two ? 2 : 1); ++h) {
            const int row = lane / 4 + 8 * h, token = first + row / group;
            const bool there = row < rows && token < tokens;
            const f32* const from =
                q + u64(u32(there ? token : first)) * (Heads * D) + (kv_head * group + row % group) * D;
#pragma unroll
            for (int j = 0; j < key_groups; ++j) {
                const int octet = 4 * j + lane % 4;
                Words4 low = {}, high = {};
                if (there && octet < octets) {
                    low = *reinterpret_cast<const Words4*>(from + octet * 8);
                    high = *reinterpret_cast<const Words4*>(from + octet * 8 + 4);
                }
                const u32 words[8] = {low.x, low.y, low.z, low.w, high.x, high.y, high.z, high.w};
#pragma unroll
                for (int i = 0; i < 8; ++i)
                    raw.x[h][j][i] = float_of(words[i]);
            }
        }
    }
    // As the left operand: of each group of four octets, two products of two registers for each half.
    static INGOT_MEMBER void convert_queries(Query& query, const RawQueries& raw, f32 scale) {
#pragma unroll
        for (int h = 0; h < (two ? 2 : 1); ++h)
#pragma unroll
            for (int j = 0; j < key_groups; ++j)
#pragma unroll
                for (int i = 0; i < 4; ++i) {
                    const f32 first = raw.x[h][j][2 * i] * scale, second = raw.x[h][j][2 * i + 1] * scale;
                    query[0][j][h * 4 + i] = pair_f16(first, second);
                    if constexpr (NumberParts == 2) query[1][j][h * 4 + i] = rest_of_pair(first, second);
                }
    }

    // Positions first..first+31, which lie in one page, up to each row's limit.
    static INGOT_MEMBER void step(Rows& r, const Query& query, const u16* keys, const u16* values,
                                  const i32* table, int kv_head, int first, const int (&limits)[2],
                                  int lane) {
        const u64 page = u64(u32(table[first / P])) * (KvHeads * D * P) + u32(kv_head * D * P);
        const u16* const k = keys + page + u32((first % P + lane / 4) * 8);
        const u16* const v = values + page + u32(first % P * D);
        Words4 key[4][key_groups];
#pragma unroll
        for (int n = 0; n < 4; ++n)
#pragma unroll
            for (int j = 0; j < key_groups; ++j) {
                const int octet = 4 * j + lane % 4;
                key[n][j] = {};
                if (octets % 4 == 0 || octet < octets)
                    key[n][j] = *reinterpret_cast<const Words4*>(k + octet * (P * 8) + n * 64);
            }
        Words4 value[2][value_groups][4];
        const auto load_values = [&](int u) {
#pragma unroll
            for (int o = 0; o < value_groups; ++o)
#pragma unroll
                for (int i = 0; i < 4; ++i) {
                    const int octet = 8 * o + lane / 4, p = 16 * u + lane % 4 * 2 + i % 2 + i / 2 * 8;
                    value[u][o][i] = {};
                    if (octets % 8 == 0 || octet < octets)
                        value[u][o][i] = *reinterpret_cast<const Words4*>(v + p * D + octet * 8);
                }
        };
        // With numbers in two parts there are no registers for all of it at once.
        constexpr bool values_ahead = NumberParts == 1;
        if constexpr (values_ahead) load_values(0), load_values(1);

        f32 score[4][4] = {};
#pragma unroll
        for (int n = 0; n < 4; ++n)
#pragma unroll
            for (int j = 0; j < key_groups; ++j)
#pragma unroll
                for (int p = 0; p < NumberParts; ++p) {
                    const u32(&a)[8] = query[p][j];
                    multiply(score[n], a[0], two ? a[4] : 0, a[1], two ? a[5] : 0, key[n][j].x, key[n][j].y);
                    multiply(score[n], a[2], two ? a[6] : 0, a[3], two ? a[7] : 0, key[n][j].z, key[n][j].w);
                }

        u32 weight[NumberParts][4][2] = {}; // pairs of f16
#pragma unroll
        for (int h = 0; h < (two ? 2 : 1); ++h) {
            f32 top = no_score;
#pragma unroll
            for (int n = 0; n < 4; ++n)
#pragma unroll
                for (int e = 0; e < 2; ++e) {
                    f32& x = score[n][2 * h + e];
                    if (first + 8 * n + lane % 4 * 2 + e > limits[h]) x = no_score;
                    top = max(top, x);
                }
            top = max(top, shuffle_xor(top, 1));
            top = max(max(top, shuffle_xor(top, 2)), r.largest[h]);
            const f32 fade = exp(r.largest[h] - top);
            r.largest[h] = top;
            r.sum[h] *= fade;
#pragma unroll
            for (int n = 0; n < 4; ++n) {
                f32 w[2];
#pragma unroll
                for (int e = 0; e < 2; ++e) {
                    const f32 x = score[n][2 * h + e];
                    w[e] = x > no_score ? exp(x - top) : (x != x ? x : 0.0f);
                    r.sum[h] += w[e];
                }
                weight[0][n][h] = pair_f16(w[0], w[1]);
                if constexpr (NumberParts == 2) weight[1][n][h] = rest_of_pair(w[0], w[1]);
            }
#pragma unroll
            for (int o = 0; o < value_groups; ++o)
#pragma unroll
                for (int i = 0; i < 8; ++i)
                    r.out[o][i][2 * h] *= fade, r.out[o][i][2 * h + 1] *= fade;
        }
#pragma unroll
        for (int u = 0; u < 2; ++u) {
            if constexpr (!values_ahead) load_values(u);
#pragma unroll
            for (int o = 0; o < value_groups; ++o) {
                const Words4(&x)[4] = value[u][o];
                const u32 words[4][4] = {{x[0].x, x[0].y, x[0].z, x[0].w},
                                         {x[1].x, x[1].y, x[1].z, x[1].w},
                                         {x[2].x, x[2].y, x[2].z, x[2].w},
                                         {x[3].x, x[3].y, x[3].z, x[3].w}};
#pragma unroll
                for (int i = 0; i < 8; ++i) {
                    const u32 low = halves(words[0][i / 2], words[1][i / 2], i % 2),
                              high = halves(words[2][i / 2], words[3][i / 2], i % 2);
#pragma unroll
                    for (int p = 0; p < NumberParts; ++p)
                        multiply(r.out[o][i], weight[p][2 * u][0], weight[p][2 * u][1],
                                 weight[p][2 * u + 1][0], weight[p][2 * u + 1][1], low, high);
                }
            }
        }
    }

    // The low (0) or high halves of two words.
    static INGOT_MEMBER u32 halves(u32 a, u32 b, int which) {
        return which == 0 ? (a & 0xffff) | b << 16 : a >> 16 | (b & 0xffff0000);
    }

    // Sums over the four lanes that have a row.
    static INGOT_MEMBER void finish(Rows& r) {
#pragma unroll
        for (int h = 0; h < 2; ++h) {
            r.sum[h] += shuffle_xor(r.sum[h], 1);
            r.sum[h] += shuffle_xor(r.sum[h], 2);
        }
    }

    // Product i of a group of octets has in columns l % 4 * 2 + {0, 1} the channels i of these octets.
    template <int N>
    static INGOT_MEMBER void store(const Rows& r, f32 (&to)[N][D], int lane) {
#pragma unroll
        for (int h = 0; h < 2; ++h) {
            const int row = lane / 4 + 8 * h;
            if (row >= N) continue;
#pragma unroll
            for (int o = 0; o < value_groups; ++o)
#pragma unroll
                for (int e = 0; e < 2; ++e) {
                    const int octet = 8 * o + lane % 4 * 2 + e;
                    if (octets % 8 != 0 && octet >= octets) continue;
#pragma unroll
                    for (int i = 0; i < 8; ++i)
                        to[row][octet * 8 + i] = r.out[o][i][2 * h + e];
                }
        }
    }
};

} // namespace ingot_gpu
