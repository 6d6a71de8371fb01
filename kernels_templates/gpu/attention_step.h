// Attention of few tokens over the paged cache: bound by reading keys and values once.
//
// A workgroup has one KV head, with all query heads that share it, and one of `Splits` parts of the
// sequence's pages; the one that comes last of a token's parts combines them. Scores: a lane has a position,
// and reads its keys eight channels at a time (layout kv_octets); weights go through shared memory, and then
// a lane has eight channels of the values. Online softmax: Milakov & Gimelshein 2018; split over the
// sequence: Dao et al., "Flash-Decoding", 2023.
#pragma once

#include "gpu/epilogue.h"

namespace ingot_gpu {

inline constexpr int attention_warps = 4;
inline constexpr int attention_threads = 32 * attention_warps;
inline constexpr f32 no_score = -3.0e38f; // less than every score, and finite: differences stay numbers

INGOT_DEVICE void load_octet(const u16* p, f32 (&x)[8]) {
    const Words4 w = *reinterpret_cast<const Words4*>(p);
    const u32 words[4] = {w.x, w.y, w.z, w.w};
#pragma unroll
    for (int i = 0; i < 8; ++i)
        x[i] = f16_to_f32(u16(words[i / 2] >> (i % 2 * 16)));
}
INGOT_DEVICE void load_octet(const f32* p, f32 (&x)[8]) {
#pragma unroll
    for (int i = 0; i < 8; ++i)
        x[i] = p[i];
}

// Heads: query heads. Tokens: most of them. Splits: parts of a sequence. Join: KV heads whose outputs are
// written together, so that they are whole blocks of 32 columns where the output is quantised.
template <class E, int Heads, int KvHeads, int D, int P, int Tokens, int Splits, int Join>
struct AttentionStep {
    static_assert(Heads % KvHeads == 0 && D % 8 == 0 && P % 32 == 0 && KvHeads % Join == 0);
    static constexpr int group = Heads / KvHeads;
    static constexpr int octets = D / 8;
    static constexpr int wide = octets <= 32 ? 32 / octets : 1; // positions whose values are read at once
    static constexpr int turns = (octets + 31) / 32;            // of 32 lanes over a row of values
    static constexpr int joined = KvHeads / Join;
    static_assert((Splits == 1 && Join == 1) || Tokens * joined < counters);

    // In shared memory.
    struct Shared {
        f32 q[group][D];
        f32 weights[attention_warps][32][group];
        f32 largest[attention_warps][group], sum[attention_warps][group];
        f32 out[attention_warps][group][D];
        u32 is_last;
    };
    // In the workspace: how many of a token's parts have arrived (zero between launches), and the parts.
    struct Part {
        f32 out[group][D];
        f32 largest[group], sum[group];
    };
    struct Space {
        u32 arrived[Tokens][joined];
        u32 padding[Tokens * joined < counters ? counters - Tokens * joined : 1];
        Part part[Tokens][KvHeads][Splits];
    };

    static INGOT_MEMBER Shared& shared() { return *reinterpret_cast<Shared*>(shared_memory()); }

    // `out(column, value)` takes 32 neighbouring columns at a time from 32 lanes, `active` where they exist.
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
            f32 score[group] = {};
            const typename E::Number* const k = keys + page + u32((first % P + lane) * 8);
#pragma unroll 4
            for (int o = 0; o < octets; ++o) {
                f32 x[8];
                load_octet(k + o * (P * 8), x);
#pragma unroll
                for (int g = 0; g < group; ++g)
#pragma unroll
                    for (int i = 0; i < 8; ++i)
                        score[g] += x[i] * s.q[g][o * 8 + i];
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
            const typename E::Number* const v = values + page + u32(first % P * D);
#pragma unroll
            for (int u = 0; u < turns; ++u) {
                const int octet = u * 32 + lane % (octets < 32 ? octets : 32),
                          row = octets < 32 ? lane / octets : 0;
                if (row >= wide || octet >= octets) continue;
#pragma unroll 4
                for (int p = row; p < 32; p += wide) {
                    f32 x[8];
                    load_octet(v + p * D + octet * 8, x);
#pragma unroll
                    for (int g = 0; g < group; ++g) {
                        const f32 weight = s.weights[warp][p][g];
#pragma unroll
                        for (int i = 0; i < 8; ++i)
                            acc[u][g][i] += weight * x[i];
                    }
                }
            }
            wave_barrier();
        }
        meet(s, largest, sum, acc, warp, lane);
        if constexpr (Splits == 1 && Join == 1) {
            for (int column = thread; column / 32 * 32 < group * D; column += attention_threads) {
                const bool there = column < group * D;
                out(kv_head * (group * D) + column, there, there ? whole(s, column / D, column % D) : 0.0f);
            }
            return;
        }
        Space& space = *reinterpret_cast<Space*>(workspace);
        leave(s, space.part[token][kv_head][split], thread);
        fence();
        barrier();
        if (thread == 0) {
            u32* const arrived = &space.arrived[token][kv_head / Join];
            s.is_last = atomic_add(arrived, 1) == u32(active * Join) - 1;
            if (s.is_last) *arrived = 0;
        }
        barrier();
        if (!s.is_last) return;
        fence();
        for (int column = thread; column / 32 * 32 < Join * group * D; column += attention_threads) {
            const bool there = column < Join * group * D;
            const int head = kv_head / Join * Join + column / (group * D), g = column / D % group,
                      d = column % D;
            out(kv_head / Join * (Join * group * D) + column, there,
                there ? combined(space.part[token][head], active, g, d) : 0.0f);
        }
    }

  private:
    // The warps' results, with the greatest score of all as their base, into shared memory.
    static INGOT_MEMBER void meet(Shared& s, const f32 (&largest)[group], const f32 (&sum)[group],
                                  const f32 (&acc)[turns][group][8], int warp, int lane) {
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

    static INGOT_MEMBER void leave(const Shared& s, Part& part, int thread) {
        for (int i = thread; i < group * D; i += attention_threads) {
            const int g = i / D, d = i % D;
            f32 top = no_score;
#pragma unroll
            for (int w = 0; w < attention_warps; ++w)
                top = max(top, s.largest[w][g]);
            f32 sum = 0, out = 0;
#pragma unroll
            for (int w = 0; w < attention_warps; ++w) {
                const f32 share = exp(s.largest[w][g] - top);
                sum += s.sum[w][g] * share;
                out += s.out[w][g][d] * share;
            }
            part.out[g][d] = out;
            if (d == 0) part.largest[g] = top, part.sum[g] = sum;
        }
    }

    // Where there is one part only.
    static INGOT_MEMBER f32 whole(const Shared& s, int g, int d) {
        f32 top = no_score;
#pragma unroll
        for (int w = 0; w < attention_warps; ++w)
            top = max(top, s.largest[w][g]);
        f32 sum = 0, out = 0;
#pragma unroll
        for (int w = 0; w < attention_warps; ++w) {
            const f32 share = exp(s.largest[w][g] - top);
            sum += s.sum[w][g] * share;
            out += s.out[w][g][d] * share;
        }
        return out / sum;
    }

    static INGOT_MEMBER f32 combined(const Part* parts, int active, int g, int d) {
        f32 top = no_score;
        for (int i = 0; i < active; ++i)
            top = max(top, load_fresh(&parts[i].largest[g]));
        f32 sum = 0, out = 0;
        for (int i = 0; i < active; ++i) {
            const f32 share = exp(load_fresh(&parts[i].largest[g]) - top);
            sum += load_fresh(&parts[i].sum[g]) * share;
            out += load_fresh(&parts[i].out[g][d]) * share;
        }
        return out / sum;
    }
};

} // namespace ingot_gpu
