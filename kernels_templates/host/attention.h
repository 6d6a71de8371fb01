// Attention of one layer over the paged cache: softmax(scale * q k^T) v, causal, grouped heads together.
//
// One pass over the cache with the online softmax (Milakov and Gimelshein 2018; Dao et al. 2022). The work is
// cut into items, one for a tile of query tokens of one sequence and the KV heads that complete a block of
// output, and laid end to end in units of one page; every thread takes an equal, contiguous share of that
// line (the "stream-K" decomposition, Osama et al. 2023). So all threads are busy at one token and at 512,
// with one KV head and with many. An item that a share's border cuts is finished by the last of its threads
// to arrive, in the threads' order, so that the result depends on their number only.
#pragma once

#include "attention_out.h"
#include "attention_tile.h"
#include "runtime/host_abi.h"

namespace ingot_host {

// A run of query tokens that one sweep over the pages serves: same sequence, consecutive positions.
struct QueryTile {
    int token, count; // tokens [token, token + count) of the step
    int last;         // position of the last one: pages past it are not read
};

inline QueryTile query_tile(const i32* positions, const i32* seqs, int tokens, int token, int most) {
    int count = 1;
    while (count < most && token + count < tokens && seqs[token + count] == seqs[token] &&
           positions[token + count] == positions[token] + count)
        ++count;
    return {token, count, positions[token] + count - 1};
}

// Threads' shares of `total` units; an item occupies [at, at + pages * weight), its pages whole.
struct Shares {
    u64 total;
    u32 threads;

    u64 begin(u32 thread) const { return total * thread / threads; }

    // First page of the item at `at` that belongs to `thread` or a later one.
    int page(u32 thread, u64 at, int pages, u64 weight) const {
        const u64 b = begin(thread);
        if (b <= at) return 0;
        const u64 page = (b - at + weight - 1) / weight;
        return page < u64(pages) ? int(page) : pages;
    }
};

// Bytes of the workspace that `attention` needs with so many threads. All bytes must be zero before the first
// call; every call leaves the counters in it zero.
template <int Heads, int KvHeads, int D, int P, class Out, int MaxTokens = 512>
constexpr u64 attention_workspace_bytes(u32 threads) {
    using Shape = AttentionShape<Heads, KvHeads, D, P, Out::block, MaxTokens>;
    return u64(threads) * (64 + 2 * sizeof(typename Shape::Partial));
}

template <class Shape, class Out>
inline void finish_tile(const typename Shape::Partial& a, const QueryTile& tile, int kv_head, Out& out) {
    alignas(64) float row[Shape::joined * Shape::group * Shape::width];
    for (int t = 0; t < tile.count; ++t) {
        float* to = row;
        for (int j = 0; j < Shape::joined; ++j)
            for (int g = 0; g < Shape::group; ++g, to += Shape::head_dim) {
                const int r = j * Shape::rows + t * Shape::group + g;
                // A row that sees no position at all is zero.
                const float inverse = a.sum[r] == 0.0f ? 0.0f : 1.0f / a.sum[r];
                // A head's last vector may reach past its end; the next head's first then overwrites that.
                for (int i = 0; i < Shape::width; i += lanes)
                    store(to + i, load<f32x16>(a.o[r] + i) * inverse);
            }
        out(tile.token + t, kv_head * Shape::group * Shape::head_dim, row,
            Shape::joined * Shape::group * Shape::head_dim);
    }
}

template <class Shape>
inline void copy_partial(typename Shape::Partial& to, const typename Shape::Partial& from, int queries) {
    for (int j = 0; j < Shape::joined; ++j)
        for (int r = j * Shape::rows; r < j * Shape::rows + queries; ++r) {
            for (int i = 0; i < Shape::width; i += lanes)
                store(to.o[r] + i, load<f32x16>(from.o[r] + i));
            to.max[r] = from.max[r];
            to.sum[r] = from.sum[r];
        }
}

// Adds the partial result `b` of later pages to `a`.
template <class Shape>
inline void merge_partial(typename Shape::Partial& a, const typename Shape::Partial& b, int queries) {
    for (int j = 0; j < Shape::joined; ++j)
        for (int r = j * Shape::rows; r < j * Shape::rows + queries; ++r) {
            const f32x16 m = larger(broadcast(a.max[r]), broadcast(b.max[r]));
            const f32x16 wa = exp2_nonpositive(a.max[r] - m), wb = exp2_nonpositive(b.max[r] - m);
            a.max[r] = m[0];
            a.sum[r] = a.sum[r] * wa[0] + b.sum[r] * wb[0];
            for (int i = 0; i < Shape::width; i += lanes)
                store(a.o[r] + i, load<f32x16>(a.o[r] + i) * wa + load<f32x16>(b.o[r] + i) * wb);
        }
}

// q: f32 [tokens][Heads * D], rotated; k, v: the layer's cache (kv_cache.h), to which every token of the step
// is appended already; positions, seqs: i32 [tokens]; pages: i32 [sequences][max_pages]. Token t attends to
// positions 0 .. positions[t] of its sequence. `out(token, channel, values, count)` receives finished,
// consecutive channels of a token's row, whole multiples of `Out::block` of them, each once and from one
// thread. MaxTokens = 1 leaves the prefill tiles out of the kernel's code (any number of tokens is still
// right).
template <class E, int Heads, int KvHeads, int D, int P, class Out, int MaxTokens = 512>
inline void attention(const Call* c, const float* q, const E* k, const E* v, const i32* positions,
                      const i32* seqs, const i32* pages, int max_pages, int tokens, float scale,
                      void* workspace, Out out) {
    using Shape = AttentionShape<Heads, KvHeads, D, P, Out::block, MaxTokens>;
    using Partial = typename Shape::Partial;
    constexpr int items = KvHeads / Shape::joined;
    const auto weight = [](const QueryTile& tile) { return u64(Shape::cost(tile.count)); };

    u64 line = 0;
    for (int t = 0; t < tokens;) {
        const QueryTile tile = query_tile(positions, seqs, tokens, t, Shape::tile_tokens);
        line += weight(tile) * u64(tile.last / P + 1);
        t += tile.count;
    }
    const Shares shares{line * items, c->threads};
    const u64 begin = shares.begin(c->thread), end = shares.begin(c->thread + 1);
    if (begin == end) return;

    // Each thread cuts at most two items: the one at its share's begin (partial 0) and the one at its end
    // (1).
    auto* counters = static_cast<u32*>(workspace);
    auto* partials = reinterpret_cast<Partial*>(static_cast<u8*>(workspace) + u64(c->threads) * 64);
    Partial state;
    for (int item = int(begin / line); item < items && u64(item) * line < end; ++item) {
        const int kv_head = item * Shape::joined;
        u64 at = u64(item) * line;
        for (int t = 0; t < tokens && at < end;) {
            const QueryTile tile = query_tile(positions, seqs, tokens, t, Shape::tile_tokens);
            t += tile.count;
            const u64 w = weight(tile), start = at;
            const int count = tile.last / P + 1;
            at += w * u64(count);
            if (at <= begin) continue;
            const int first = shares.page(c->thread, start, count, w);
            const int last = shares.page(c->thread + 1, start, count, w);
            if (first == last) continue;

            const float* rows = q + u64(tile.token) * (Heads * D);
            const i32* own = pages + u64(u32(seqs[tile.token])) * u64(max_pages);
            const int position = tile.last - tile.count + 1;
            if (Shape::tile_tokens == 1 || tile.count == 1)
                attend_pages<Shape, typename Shape::Single>(rows, k, v, own, position, tile.count, kv_head,
                                                            first, last, scale, state);
            else
                attend_pages<Shape, typename Shape::Many>(rows, k, v, own, position, tile.count, kv_head,
                                                          first, last, scale, state);
            if (first == 0 && last == count) {
                finish_tile<Shape>(state, tile, kv_head, out);
                continue;
            }
            // The threads that share this item: those whose page range isn't empty.
            u32 from = c->thread, arrivals = 1;
            if (first > 0)
                for (u32 i = c->thread; i-- > 0 && shares.begin(i + 1) > start;)
                    if (shares.page(i, start, count, w) < shares.page(i + 1, start, count, w))
                        from = i, ++arrivals;
            u32 to = c->thread;
            if (last < count)
                for (u32 i = c->thread + 1; i < c->threads && shares.begin(i) < at; ++i)
                    if (shares.page(i, start, count, w) < shares.page(i + 1, start, count, w))
                        to = i, ++arrivals;
            const auto partial = [&](u32 i) -> Partial& { return partials[2 * i + (i == from ? 1 : 0)]; };
            copy_partial<Shape>(partial(c->thread), state, tile.count * Shape::group);
            // `from` is the only thread that begins this item and goes on past its own share: its counter is
            // free.
            u32* counter = counters + from * 16;
            if (__atomic_add_fetch(counter, 1, __ATOMIC_ACQ_REL) != arrivals) continue;
            __atomic_store_n(counter, 0, __ATOMIC_RELAXED);
            copy_partial<Shape>(state, partial(from), tile.count * Shape::group);
            for (u32 i = from + 1; i <= to; ++i)
                if (shares.page(i, start, count, w) < shares.page(i + 1, start, count, w))
                    merge_partial<Shape>(state, partial(i), tile.count * Shape::group);
            finish_tile<Shape>(state, tile, kv_head, out);
        }
    }
}

} // namespace ingot_host
