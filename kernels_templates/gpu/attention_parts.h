// What attention kernels end with: the results of a workgroup's waves, and of the parts of a sequence that
// several workgroups read, become one. A token's last part combines them all.
#pragma once

#include "gpu/epilogue.h"

namespace ingot_gpu {

inline constexpr int attention_warps = 4;
inline constexpr int attention_threads = 32 * attention_warps;
inline constexpr f32 no_score = -3.0e38f; // less than every score, and finite: differences stay numbers

// Heads: query heads. D: channels of a head. Tokens: most of them. Splits: parts of a sequence. Join: KV
// heads whose outputs are written together, so that they are whole blocks of 32 columns where the output is
// quantised.
template <int Heads, int KvHeads, int D, int Tokens, int Splits, int Join>
struct AttentionParts {
    static_assert(Heads % KvHeads == 0 && KvHeads % Join == 0);
    static constexpr int group = Heads / KvHeads;
    static constexpr int joined = KvHeads / Join;
    static_assert((Splits == 1 && Join == 1) || Tokens * joined <= counters - 2);

    // In shared memory: what the waves have, relative to their greatest scores.
    struct Results {
        f32 largest[attention_warps][group], sum[attention_warps][group];
        f32 out[attention_warps][group][D];
        f32 shares[Join * group][Splits];
        u32 is_last;
    };
    // In the workspace: how many of a token's parts have arrived (zero between launches), and the parts.
    struct Part {
        f32 out[group][D];
        f32 largest[group], sum[group];
    };
    struct Space {
        u32 arrived[Tokens][joined];
        u32 padding[counters > Tokens* joined ? counters - Tokens* joined : 1];
        Part part[Tokens][KvHeads][Splits];
    };

    // Called by all threads when the results are complete. `out(column, active, value)` takes 32 neighbouring
    // columns at a time from 32 lanes, `active` where they exist. active: parts that the token has.
    template <class Out>
    static INGOT_MEMBER void finish(Results& s, int token, int kv_head, int split, int active, u8* workspace,
                                    Out out) {
        const int thread = thread_index(), warp = thread / 32, lane = thread % 32;
        if ((Splits == 1 || active == 1) && Join == 1) {
            for (int column = thread; column / 32 * 32 < group * D; column += attention_threads) {
                const bool there = column < group * D;
                out(kv_head * (group * D) + column, there, there ? whole(s, column / D, column % D) : 0.0f);
            }
            return;
        }
        if constexpr (Splits == 1 && Join == 1) return;
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
        const auto& parts = space.part[token];
        const int first_head = kv_head / Join * Join;
        for (int h = warp; h < Join * group; h += attention_warps)
            share(s.shares[h], parts[first_head + h / group], active, h % group, lane);
        barrier();
        // All columns of a thread at once, so that many reads are on their way.
        constexpr int columns = Join * group * D,
                      turns = (columns + attention_threads - 1) / attention_threads;
        f32 y[turns] = {};
#pragma unroll(turns <= 4 ? 8 : 2)
        for (int i = 0; i < active; ++i)
#pragma unroll
            for (int u = 0; u < turns; ++u) {
                const int column = u * attention_threads + thread, h = column / D;
                if (columns % attention_threads == 0 || column < columns)
                    y[u] += s.shares[h][i] *
                            load_fresh(&parts[first_head + h / group][i].out[h % group][column % D]);
            }
#pragma unroll
        for (int u = 0; u < turns; ++u) {
            const int column = u * attention_threads + thread;
            if (column / 32 * 32 < columns) out(first_head * (group * D) + column, column < columns, y[u]);
        }
    }

  private:
    // Column d of query head g, of all waves.
    struct Column {
        f32 out, largest, sum;
    };
    static INGOT_MEMBER Column column_of(const Results& s, int g, int d) {
        Column c = {0, no_score, 0};
#pragma unroll
        for (int w = 0; w < attention_warps; ++w)
            c.largest = max(c.largest, s.largest[w][g]);
#pragma unroll
        for (int w = 0; w < attention_warps; ++w) {
            const f32 share = exp(s.largest[w][g] - c.largest);
            c.sum += s.sum[w][g] * share;
            c.out += s.out[w][g][d] * share;
        }
        return c;
    }

    static INGOT_MEMBER void leave(const Results& s, Part& part, int thread) {
        for (int i = thread; i < group * D; i += attention_threads) {
            const int g = i / D, d = i % D;
            const Column c = column_of(s, g, d);
            part.out[g][d] = c.out;
            if (d == 0) part.largest[g] = c.largest, part.sum[g] = c.sum;
        }
    }

    // Where there is one part only.
    static INGOT_MEMBER f32 whole(const Results& s, int g, int d) {
        const Column c = column_of(s, g, d);
        return c.out / c.sum;
    }

    // What each part counts for in query head g's output, by a warp.
    static INGOT_MEMBER void share(f32 (&shares)[Splits], const Part* parts, int active, int g, int lane) {
        constexpr int turns = (Splits + 31) / 32;
        f32 largest[turns], sums[turns], top = no_score, sum = 0;
#pragma unroll
        for (int u = 0; u < turns; ++u) {
            const int i = u * 32 + lane;
            largest[u] = i < active ? load_fresh(&parts[i].largest[g]) : no_score;
            sums[u] = i < active ? load_fresh(&parts[i].sum[g]) : 0.0f;
        }
#pragma unroll
        for (int u = 0; u < turns; ++u)
            top = max(top, largest[u]);
        top = max_of_32(top);
#pragma unroll
        for (int u = 0; u < turns; ++u) {
            largest[u] = exp(largest[u] - top);
            sum += sums[u] * largest[u];
        }
        sum = sum_of_32(sum);
#pragma unroll
        for (int u = 0; u < turns; ++u)
            if (u * 32 + lane < active) shares[u * 32 + lane] = largest[u] / sum;
    }
};

} // namespace ingot_gpu
