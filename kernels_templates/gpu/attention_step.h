// Attention of few tokens over the paged cache: bound by reading keys and values once.
//
// A workgroup has one KV head, with all query heads that share it, and one of `Splits` parts of the
// sequence's pages (attention_parts.h). Scores: a lane has a position, and reads its keys eight channels at a
// time (layout kv_octets); weights go through shared memory, and then a lane has eight channels of the
// values. Online softmax: Milakov & Gimelshein 2018; split over the sequence: Dao et al., "Flash-Decoding",
// 2023.
#pragma once

#include "gpu/attention_parts.h"
#include "gpu/cache_octet.h"

namespace ingot_gpu {

// E: element of the cache. Q: that in which queries and weights are multiplied with it. P: positions of a
// page. Others as AttentionParts has them.
template <class E, class Q, int Heads, int KvHeads, int D, int P, int Tokens, int Splits, int Join>
struct AttentionStep {
    using Parts = AttentionParts<Heads, KvHeads, D, Tokens, Splits, Join>;
    using Space = typename Parts::Space;
    using Number = typename E::Number;
    using Factor = typename Q::Number;
    using Octet = decltype(load_octet(static_cast<const Number*>(nullptr)));
    using Query = decltype(load_octet(static_cast<const Factor*>(nullptr)));
    using Weights = decltype(load_weights(static_cast<const Factor*>(nullptr)));
    static_assert(D % 8 == 0 && P % 32 == 0);
    static constexpr int group = Parts::group;
    static constexpr int octets = D / 8;
    static constexpr int bytes = int(sizeof(Octet));
    // Of values a lane has an octet of two neighbouring positions, of every `wide`th such pair of 16; where a
    // row has more than 32 octets, in several turns.
    static constexpr int turns = (octets + 31) / 32;
    static constexpr int wide = octets > 16 ? 1 : octets > 2 ? 32 / octets : 16;
    static constexpr int lane_pairs = (16 + wide - 1) / wide;
    // With pairs beyond 16, for lanes to which none is left. They weigh nothing.
    static constexpr int all_pairs = (octets < 32 ? 31 / octets : 0) + (lane_pairs - 1) * wide + 1;
    // What a lane loads of 32 positions, octets of keys and then of values, goes through a ring: `ahead` of
    // them are on their way while it works on the one before, as many as registers allow beside the sums. The
    // first loads of the next 32 positions follow the last of these, in places that are free once there are
    // weights.
    static constexpr int loads = octets + turns * lane_pairs * 2;
    static constexpr int most_loads = group * turns <= 4 && sizeof(Query) == 16 ? lane_loads
                                      : group * turns <= 8                      ? 6
                                                                                : 4;
    static constexpr int most_ahead = most_loads * 8 / bytes * 2;
    static constexpr int ahead = (loads + 1) / 2 < most_ahead ? (loads + 1) / 2 : most_ahead;
    static constexpr int places = (loads + ahead - 1) / ahead * ahead;
    static_assert(places - ahead >= octets);
    static constexpr int together = ahead < 4 ? 2 : 4; // octets that are used, and then loaded, in one go
    static constexpr bool one_page = P % lanes == 0;   // all lanes of a wave have positions of the same page
    // Queries' octets are read from shared memory so many before their use.
    static constexpr int most_early = int(48 / sizeof(Query));
    static constexpr int early = octets * group < most_early ? octets * group : most_early;

    // In shared memory.
    struct Shared {
        union {
            struct {
                Query q[octets * group];
                alignas(16) Factor weights[attention_warps][all_pairs][group][2];
            };
            typename Parts::Results results;
        };
    };

    static INGOT_MEMBER Shared& shared() { return *reinterpret_cast<Shared*>(shared_memory()); }

    // `out` as AttentionParts::finish takes it.
    template <class Out>
    static INGOT_MEMBER void run(const f32* q, const Number* keys, const Number* values, const i32* positions,
                                 const i32* seqs, const i32* page_table, int pages_of_sequence, f32 scale,
                                 u8* workspace, Out out) {
        const int kv_head = group_index() / Splits, split = group_index() % Splits, token = group_index_y();
        const int warp = uniform_32(thread_index() / 32), lane = thread_index() % 32;
        const int length = positions[token] + 1, pages = (length + P - 1) / P;
        const int active = pages < Splits ? pages : Splits;
        if (split >= active) return;
        const i32* const table = page_table + seqs[token] * pages_of_sequence;
        const int begin = pages * split / active * (P / 32), most = pages * (split + 1) / active * (P / 32),
                  there = (length + 31) / 32, end = most < there ? most : there;
        Shared& s = shared();

        Lane l(lane);
        Octet ring[ahead];
        int part = begin + warp;
        l.find(keys, values, table, kv_head, part, begin, part < end);
#pragma unroll
        for (int n = 0; n < ahead; ++n)
            l.load(ring, n);
        Factor* const queries = reinterpret_cast<Factor*>(s.q);
        for (int i = thread_index(); i < group * D; i += attention_threads) {
            const int g = i / D, d = i % D;
            queries[(d / 8 * group + g) * 8 + d % 8] =
                Q::from(q[token * (Heads * D) + kv_head * group * D + i] * scale);
        }
        for (int i = lane; i < (all_pairs - 16) * group * 2; i += 32)
            s.weights[warp][16 + i / (group * 2)][i / 2 % group][i % 2] = 0;
        barrier();

        State state;
        clear(state);
        for (; part < end; part += attention_warps) {
            f32 score[group] = {};
            find_scores(score, ring, s.q, l);
            weigh(state, score, s.weights[warp], lane, part * 32 + lane < length);
            Lane next(lane);
            const int later = part + attention_warps;
            next.find(keys, values, table, kv_head, later, part, later < end);
            add_values(state, ring, s.weights[warp], l, next);
            l = next;
        }
        barrier();
        meet(s.results, state, warp, lane);
        Parts::finish(s.results, token, kv_head, split, active, workspace, out);
    }

  private:
    struct State {
        f32 base[group], sum[group]; // weights are exp(score - base); `sum` of what this lane has of them
        f32 out[turns][group][8];
    };
    static INGOT_MEMBER void clear(State& state) {
#pragma unroll
        for (int g = 0; g < group; ++g) {
            state.base[g] = no_score, state.sum[g] = 0;
#pragma unroll
            for (int u = 0; u < turns; ++u)
#pragma unroll
                for (int i = 0; i < 8; ++i)
                    state.out[u][g][i] = 0;
        }
    }

    // Where a lane's keys and values of 32 positions are.
    struct Lane {
        int lane, first_pair, octet;
        const u8 *keys, *values; // of the page: the same for all lanes of a wave
        u32 key, value;          // from there, bytes

        INGOT_MEMBER explicit Lane(int lane_)
            : lane(lane_), first_pair(octets < 32 ? lane_ / octets : 0),
              octet(octets < 32 ? lane_ % octets : lane_) {}

        // Where `part` is not there nothing is read but a line of a page of another part, by all lanes.
        INGOT_MEMBER void find(const Number* all_keys, const Number* all_values, const i32* table,
                               int kv_head, int part, int other, bool there) {
            int page = (there ? part : other) / (P / 32);
            if constexpr (one_page) page = uniform(page);
            page = table[page];
            if constexpr (one_page) page = uniform(page);
            const u64 begin = u64(u32(page)) * (KvHeads * D * P) + u32(kv_head * D * P);
            keys = reinterpret_cast<const u8*>(all_keys + begin);
            values = reinterpret_cast<const u8*>(all_values + begin);
            const u32 first = u32(part % (P / 32) * 32);
            key = there ? (first + u32(lane)) * bytes : 0;
            value = there ? first * (octets * bytes) : 0;
        }

        // Octet n of values: which of 16 pairs of positions.
        INGOT_MEMBER int pair(int n) const { return first_pair + n / 2 % lane_pairs * wide; }

        // Load n. Lanes for which there is none read one of others.
        INGOT_MEMBER void load(Octet (&ring)[ahead], int n) const {
            if (n < octets) {
                ring[n % ahead] = load_from(keys, n * (P * bytes), key);
            } else if (n < loads) {
                const int i = n - octets, u = i / (2 * lane_pairs);
                // Rows of a page from the first that a lane has: the same for all lanes, but at the end.
                int row = i % 2 + i / 2 % lane_pairs * (2 * wide), o = u * 32 + octet;
                u32 first = u32(first_pair * 2);
                if (all_pairs > 16) first = pair(i) < 16 ? first : u32(30 - i / 2 % lane_pairs * (2 * wide));
                if (octets > 32) o = o < octets ? o : octets - 1;
                ring[n % ahead] =
                    load_from(values, row * (octets * bytes), value + (first * octets + u32(o)) * bytes);
            }
        }
        // What is the same for all lanes stays in scalar registers; only what an instruction adds comes last.
        static INGOT_MEMBER Octet load_from(const u8* page, int constant, u32 offset) {
            page += constant / offset_reach * offset_reach;
            if constexpr (one_page) page = scalar(page);
            return load_octet(reinterpret_cast<const Number*>(page + constant % offset_reach + offset));
        }
    };

    // The scores of the lane's position.
    static INGOT_MEMBER void find_scores(f32 (&score)[group], Octet (&ring)[ahead],
                                         const Query (&q)[octets * group], const Lane& l) {
        Query query[early];
#pragma unroll
        for (int i = 0; i < early; ++i)
            query[i] = q[i];
#pragma unroll
        for (int first = 0; first < octets; first += together) {
#pragma unroll
            for (int j = 0; j < together; ++j) {
                const int n = first + j;
                if (n >= octets) continue;
                const Key<Octet, Query> key(ring[n % ahead]);
#pragma unroll
                for (int g = 0; g < group; ++g) {
                    const int i = n * group + g, later = i + early;
                    score[g] = key.product(score[g], query[i % early]);
                    if (later < octets * group) query[i % early] = q[later];
                    if (i % 2 == 1) keep_order();
                }
            }
            keep_order();
#pragma unroll
            for (int j = 0; j < together; ++j)
                if (first + j < octets) l.load(ring, first + j + ahead);
            keep_order();
        }
    }

    // Makes weights of scores, relative to the greatest so far.
    static INGOT_MEMBER void weigh(State& state, const f32 (&score)[group],
                                   Factor (&weights)[all_pairs][group][2], int lane, bool there) {
#pragma unroll
        for (int g = 0; g < group; ++g) {
            const f32 largest = max_of_32(there ? score[g] : no_score),
                      top = uniform_32(max(largest - Q::room, state.base[g]));
            const f32 fade = exp(state.base[g] - top), weight = there ? exp(score[g] - top) : 0.0f;
            state.base[g] = top;
            state.sum[g] = state.sum[g] * fade + weight;
            weights[lane / 2][g][lane % 2] = Q::from(weight);
#pragma unroll
            for (int u = 0; u < turns; ++u)
#pragma unroll
                for (int i = 0; i < 8; ++i)
                    state.out[u][g][i] *= fade;
        }
        wave_barrier();
        keep_order();
    }

    // Adds the values as they weigh. Then the next 32 positions' first loads are on their way.
    static INGOT_MEMBER void add_values(State& state, Octet (&ring)[ahead],
                                        const Factor (&weights)[all_pairs][group][2], const Lane& l,
                                        const Lane& next) {
#pragma unroll
        for (int first = octets; first < places; first += together) {
#pragma unroll
            for (int j = 0; j < together; j += 2) {
                const int n = first + j;
                if (n >= loads) continue;
                const ValuePair<Octet, Weights> x(ring[n % ahead], ring[(n + 1) % ahead]);
#pragma unroll
                for (int g = 0; g < group; ++g)
                    x.add(state.out[(n - octets) / (2 * lane_pairs)][g],
                          load_weights(weights[l.pair(n - octets)][g]));
            }
            keep_order();
#pragma unroll
            for (int j = 0; j < together; ++j) {
                const int n = first + j + ahead;
                if (n < places)
                    l.load(ring, n);
                else if (n < places + ahead)
                    next.load(ring, n - places);
            }
            keep_order();
        }
        wave_barrier();
    }

    // The warps' results, relative to the base of each, into shared memory.
    static INGOT_MEMBER void meet(typename Parts::Results& s, const State& state, int warp, int lane) {
#pragma unroll
        for (int g = 0; g < group; ++g) {
            const f32 sum = sum_of_32(state.sum[g]);
            if (lane == 0) s.largest[warp][g] = state.base[g], s.sum[warp][g] = sum;
        }
        // Lanes that had other positions add up one after the other.
#pragma unroll
        for (int r = 0; r < wide; ++r) {
#pragma unroll
            for (int u = 0; u < turns; ++u) {
                const int octet = u * 32 + (octets < 32 ? lane % octets : lane),
                          row = octets < 32 ? lane / octets : 0;
                if (row == r && octet < octets)
#pragma unroll
                    for (int g = 0; g < group; ++g)
#pragma unroll
                        for (int i = 0; i < 8; ++i) {
                            f32& to = s.out[warp][g][octet * 8 + i];
                            to = state.out[u][g][i] + (r == 0 ? 0.0f : to);
                        }
            }
            wave_barrier();
        }
        barrier();
    }
};

} // namespace ingot_gpu
