// Attention of few tokens over the paged cache: bound by reading keys and values once.
//
// A workgroup has one KV head, with all query heads that share it, and one of `Splits` parts of the
// sequence's pages (attention_parts.h). Scores: a lane has a position, and reads its keys eight channels at a
// time (layout kv_octets); weights go through shared memory, and then a lane has eight channels of the
// values. Online softmax: Milakov & Gimelshein 2018; split over the sequence: Dao et al., "Flash-Decoding",
// 2023.
#pragma once

#include "gpu/attention_parts.h"

namespace ingot_gpu {

// Eight numbers of a cache, as loaded.
struct F16Octet {
    Words4 words;
};
struct F32Octet {
    Words4 low, high;
};
INGOT_DEVICE F16Octet load_octet(const u16* p) {
    return {*reinterpret_cast<const Words4*>(p)};
}
INGOT_DEVICE F32Octet load_octet(const f32* p) {
    return {*reinterpret_cast<const Words4*>(p), *reinterpret_cast<const Words4*>(p + 4)};
}
INGOT_DEVICE void unpack(const F16Octet& o, f32 (&x)[8]) {
    const u32 words[4] = {o.words.x, o.words.y, o.words.z, o.words.w};
#pragma unroll
    for (int i = 0; i < 8; ++i)
        x[i] = f16_to_f32(u16(words[i / 2] >> (i % 2 * 16)));
}
INGOT_DEVICE void unpack(const F32Octet& o, f32 (&x)[8]) {
    const u32 words[8] = {o.low.x, o.low.y, o.low.z, o.low.w, o.high.x, o.high.y, o.high.z, o.high.w};
#pragma unroll
    for (int i = 0; i < 8; ++i)
        x[i] = float_of(words[i]);
}

// E: element of the cache. P: positions of a page. Others as AttentionParts has them.
template <class E, int Heads, int KvHeads, int D, int P, int Tokens, int Splits, int Join>
struct AttentionStep {
    using Parts = AttentionParts<Heads, KvHeads, D, Tokens, Splits, Join>;
    using Space = typename Parts::Space;
    static_assert(D % 8 == 0 && P % 32 == 0);
    static constexpr int group = Parts::group;
    static constexpr int octets = D / 8;
    static constexpr int wide = octets <= 32 ? 32 / octets : 1; // positions whose values are read at once
    static constexpr int turns = (octets + 31) / 32;            // of 32 lanes over a row of values
    // Octets that a lane loads before it uses the first of them.
    using Octet = decltype(load_octet(static_cast<const typename E::Number*>(nullptr)));
    static constexpr int most_octets = int(256 / sizeof(Octet));
    static constexpr int key_batch = octets < most_octets ? octets : most_octets;
    static constexpr int lane_rows = (32 + wide - 1) / wide; // of 32 positions, that a lane reads values of
    static constexpr int value_octets = turns * lane_rows;
    static constexpr int value_batch = value_octets < most_octets ? value_octets : most_octets;

    // In shared memory.
    struct Shared {
        f32 q[group][D];
        f32 weights[attention_warps][32][group];
        typename Parts::Results results;
    };

    static INGOT_MEMBER Shared& shared() { return *reinterpret_cast<Shared*>(shared_memory()); }

    // `out` as AttentionParts::finish takes it.
    template <class Out>
    static INGOT_MEMBER void
    run(const f32* q, const typename E::Number* keys, const typename E::Number* values, const i32* positions,
        const i32* seqs, const i32* page_table, int pages_of_sequence, f32 scale, u8* workspace, Out out) {
        const int kv_head = group_index() / Splits, split = group_index() % Splits, token = group_index_y();
        const int thread = thread_index(), warp = thread / 32, lane = thread % 32;
        const int length = positions[token] + 1, pages = (length + P - 1) / P;
        const int active = pages < Splits ? pages : Splits;
        if (split >= active) return;
        const i32* const table = page_table + seqs[token] * pages_of_sequence;
        Shared& s = shared();
        for (int i = thread; i < group * D; i += attention_threads)
            s.q[i / D][i % D] = q[token * (Heads * D) + kv_head * group * D + i] * scale;
        barrier();

        f32 largest[group], sum[group], acc[turns][group][8];
#pragma unroll
        for (int g = 0; g < group; ++g) {
            largest[g] = no_score, sum[g] = 0;
#pragma unroll
            for (int u = 0; u < turns; ++u)
#pragma unroll
                for (int i = 0; i < 8; ++i)
                    acc[u][g][i] = 0;
        }
        const int begin = pages * split / active * (P / 32), end = pages * (split + 1) / active * (P / 32);
        for (int part = begin + warp; part < end; part += attention_warps) {
            const int first = part * 32;
            if (first >= length) break;
            const u64 page = u64(u32(table[first / P])) * (KvHeads * D * P) + u32(kv_head * D * P);
            const typename E::Number* const k = keys + page + u32((first % P + lane) * 8);
            const typename E::Number* const v = values + page + u32(first % P * D);
            // Keys and as many values as registers hold are on their way at once.
            Octet key[key_batch], value[value_batch];
            load_keys(key, k, 0);
            load_values(value, v, 0);
            f32 score[group] = {};
            for (int o = 0; o < octets; o += key_batch) {
                if (o > 0) load_keys(key, k, o);
#pragma unroll
                for (int b = 0; b < key_batch; ++b) {
                    if (octets % key_batch != 0 && o + b >= octets) break;
                    f32 x[8];
                    unpack(key[b], x);
#pragma unroll
                    for (int g = 0; g < group; ++g)
#pragma unroll
                        for (int i = 0; i < 8; ++i)
                            score[g] += x[i] * s.q[g][(o + b) * 8 + i];
                }
            }
            const bool there = first + lane < length;
#pragma unroll
            for (int g = 0; g < group; ++g) {
                f32 top = there ? score[g] : no_score;
#pragma unroll
                for (int mask = 16; mask > 0; mask /= 2)
                    top = max(top, shuffle_xor(top, mask));
                top = max(top, largest[g]);
                const f32 fade = exp(largest[g] - top), weight = there ? exp(score[g] - top) : 0.0f;
                largest[g] = top;
                sum[g] = sum[g] * fade + sum_of_32(weight);
                s.weights[warp][lane][g] = weight;
#pragma unroll
                for (int u = 0; u < turns; ++u)
#pragma unroll
                    for (int i = 0; i < 8; ++i)
                        acc[u][g][i] *= fade;
            }
            wave_barrier();
#pragma unroll
            for (int n = 0; n < value_octets; n += value_batch) {
                if (n > 0) load_values(value, v, n);
#pragma unroll
                for (int b = 0; b < value_batch; ++b) {
                    if (value_octets % value_batch != 0 && n + b >= value_octets) break;
                    if (!has_value(lane, n + b)) continue;
                    f32 x[8];
                    unpack(value[b], x);
                    const int p = position_of(lane, n + b);
#pragma unroll
                    for (int g = 0; g < group; ++g) {
                        const f32 weight = s.weights[warp][p][g];
#pragma unroll
                        for (int i = 0; i < 8; ++i)
                            acc[(n + b) / lane_rows][g][i] += weight * x[i];
                    }
                }
            }
            wave_barrier();
        }
        meet(s.results, largest, sum, acc, warp, lane);
        Parts::finish(s.results, token, kv_head, split, active, workspace, out);
    }

  private:
    // Of 32 positions a lane has value octets n = 0, 1, ...: every `wide`th position, one turn over the row
    // after the other.
    static INGOT_MEMBER int position_of(int lane, int n) {
        return (octets < 32 ? lane / octets : 0) + n % lane_rows * wide;
    }
    static INGOT_MEMBER int octet_of(int lane, int n) {
        return n / lane_rows * 32 + lane % (octets < 32 ? octets : 32);
    }
    static INGOT_MEMBER bool has_value(int lane, int n) {
        return (octets >= 32 || lane / octets < wide) && octet_of(lane, n) < octets &&
               position_of(lane, n) < 32;
    }
    static INGOT_MEMBER void load_keys(Octet (&key)[key_batch], const typename E::Number* k, int first) {
#pragma unroll
        for (int b = 0; b < key_batch; ++b)
            if (octets % key_batch == 0 || first + b < octets) key[b] = load_octet(k + (first + b) * (P * 8));
    }
    static INGOT_MEMBER void load_values(Octet (&value)[value_batch], const typename E::Number* v,
                                         int first) {
        const int lane = thread_index() % 32;
#pragma unroll
        for (int b = 0; b < value_batch; ++b)
            if ((value_octets % value_batch == 0 || first + b < value_octets) && has_value(lane, first + b))
                value[b] = load_octet(v + position_of(lane, first + b) * D + octet_of(lane, first + b) * 8);
    }

    // The warps' results, with the greatest score of all as their base, into shared memory.
    static INGOT_MEMBER void meet(typename Parts::Results& s, const f32 (&largest)[group],
                                  const f32 (&sum)[group], const f32 (&acc)[turns][group][8], int warp,
                                  int lane) {
#pragma unroll
        for (int g = 0; g < group; ++g) {
            if (lane == 0) s.largest[warp][g] = largest[g], s.sum[warp][g] = sum[g];
            for (int i = lane; i < D; i += 32)
                s.out[warp][g][i] = 0;
        }
        wave_barrier();
        // Rows of lanes that had other positions add up one after the other.
        for (int r = 0; r < wide; ++r) {
#pragma unroll
            for (int u = 0; u < turns; ++u) {
                const int octet = u * 32 + lane % (octets < 32 ? octets : 32),
                          row = octets < 32 ? lane / octets : 0;
                if (row == r && octet < octets)
#pragma unroll
                    for (int g = 0; g < group; ++g)
#pragma unroll
                        for (int i = 0; i < 8; ++i)
                            s.out[warp][g][octet * 8 + i] += acc[u][g][i];
            }
            wave_barrier();
        }
        barrier();
    }
};

} // namespace ingot_gpu
