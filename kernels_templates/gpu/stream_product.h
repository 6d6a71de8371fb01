// A matrix product with few rows of activations (1 to 16): bound by reading the weights once.
//
// A few workgroups stay for the whole product, whose rows they share in granules of `Granule`. Where there
// are bulk copies one thread takes the next granule for its workgroup when it comes to it, because workgroups
// begin when a multiprocessor has room for them; it keeps a ring of tiles in shared memory full, from before
// the launches that this one depends on are complete. Elsewhere a workgroup has a
// contiguous range of granules, and every lane its next chunks in registers. 256 threads share the rows of a
// tile: 256 / height lanes a row. A granule's sums meet in shared memory, where groups of 32 lanes take 32
// neighbouring columns at a time through what follows the product.
#pragma once

#include "gpu/formats/blocks.h"

namespace ingot_gpu {

// One row of sums over 32 lanes, or fewer.
template <int Width>
INGOT_DEVICE f32 sum_lanes(f32 v) {
#pragma unroll
    for (int mask = Width / 2; mask > 0; mask /= 2)
        v += shuffle_xor(v, mask);
    return v;
}
// Two sums over 32 lanes at once: lanes 0..15 get that of `first`, the others that of `second`.
INGOT_DEVICE f32 sum_lanes_of_two(f32 first, f32 second) {
    const bool upper = thread_index() % 32 >= 16;
    return sum_lanes<16>((upper ? second : first) + shuffle_xor(upper ? first : second, 16));
}

// F: format. N: rows of the matrix, of each half where Halves is 2 (tiles of both in turn). K: columns.
// Height and TileBytes as ir/row_tiles.h has them. Granule: columns that are computed together. Rows: most
// rows of activations. Stages: of the ring. Consumers: threads that compute.
template <class F, int Halves, int N, int K, int Height, int TileBytes, int Granule, int Rows, int Stages,
          int Consumers = 256>
struct StreamProduct {
    static constexpr int consumers = Consumers;
    static_assert(Granule % Height == 0 && Granule <= 32);
    static constexpr int chunks = (K + F::chunk - 1) / F::chunk; // of a row
    static constexpr int row_lanes = consumers / Height;
    static constexpr int lane_chunks = (chunks + row_lanes - 1) / row_lanes;
    static constexpr int parts =
        row_lanes > 32 ? row_lanes / 32 : 1; // sums of a row that meet in shared memory
    static constexpr int granules = (N + Granule - 1) / Granule;
    static constexpr int granule_tiles = Granule / Height * Halves;
    // Tiles whose sums are brought together at once: waves that have caught up with memory wait less.
    static constexpr int at_once =
        has_bulk_copy && Rows == 1 && row_lanes >= 32 && granule_tiles % 2 == 0 ? 2 : 1;
    static constexpr int tiles = (N + Height - 1) / Height; // of each half
    static constexpr int waves = consumers / 32;            // of 32 lanes
    static constexpr int sums = Halves * Granule * parts * Rows;

    // In shared memory: the ring, of each stage two barriers and the granule that begins there, two sets of
    // sums.
    static constexpr int ring_bytes = has_bulk_copy ? Stages * TileBytes : 0;
    static constexpr int barrier_bytes = has_bulk_copy ? Stages * 24 : 0;
    static constexpr int shared_bytes = ring_bytes + barrier_bytes + 2 * sums * 4;

    using Chunk = typename F::Chunk;

    static INGOT_MEMBER int begin() {
        return int(u64(u32(granules)) * u32(group_index()) / u32(group_count()));
    }
    static INGOT_MEMBER int end() {
        return int(u64(u32(granules)) * (u32(group_index()) + 1) / u32(group_count()));
    }
    static INGOT_MEMBER u64* full(int stage) {
        return reinterpret_cast<u64*>(shared_memory() + ring_bytes) + stage;
    }
    static INGOT_MEMBER u64* empty(int stage) { return full(stage) + Stages; }
    static INGOT_MEMBER volatile int& granule_at(int stage) {
        return *(reinterpret_cast<volatile int*>(full(0) + 2 * Stages) + stage);
    }

    // Tile `i` of granule `g`; past the end of the matrix the last one, whose sums nobody reads.
    static INGOT_MEMBER const u8* tile(const u8* weights, int g, int i) {
        int t = g * (Granule / Height) + i / Halves;
        t = t < tiles ? t : tiles - 1;
        return weights + u64(u32(t * Halves + i % Halves)) * TileBytes;
    }

    // Before anything that depends on earlier launches.
    static INGOT_MEMBER void start() {
        if constexpr (has_bulk_copy) {
            if (thread_index() == 0) {
                for (int s = 0; s < Stages; ++s) {
                    mbarrier_init(full(s), 1);
                    mbarrier_init(empty(s), consumers);
                }
                mbarrier_init_fence();
            }
            barrier();
        }
    }

    // The copying warp's whole life. The workspace's last two words count granules given out, beside the
    // first of each workgroup, and workgroups that need no more.
    static INGOT_MEMBER void produce(const u8* weights, u8* workspace) {
        if constexpr (has_bulk_copy) {
            if (thread_index() != consumers) return;
            u32* const given = reinterpret_cast<u32*>(workspace) + counters - 2;
            u32* const done = given + 1;
            int n = 0;
            // When the ring is full or holds all that there is, and not before this launch's own wait, so
            // that no more than two launches are under way: they have a workspace each.
            const auto let_dependents_start = [] {
                wait_for_dependencies();
                start_dependents();
            };
            const auto next_stage = [&] {
                const int stage = n % Stages;
                if (n == Stages) let_dependents_start();
                if (n >= Stages) mbarrier_wait(empty(stage), u32(n / Stages - 1) & 1);
                ++n;
                return stage;
            };
            for (int g = group_index(); g < granules;) {
                const int next = group_count() + int(atomic_add(given, 1));
                for (int i = 0; i < granule_tiles; ++i) {
                    const int stage = next_stage();
                    if (i == 0) granule_at(stage) = g;
                    mbarrier_expect(full(stage), TileBytes);
                    bulk_copy(shared_memory() + stage * TileBytes, tile(weights, g, i), TileBytes,
                              full(stage));
                }
                g = next;
            }
            if (n < Stages) let_dependents_start();
            const int stage = next_stage();
            granule_at(stage) = -1;
            mbarrier_arrive(full(stage));
            if (atomic_add(done, 1) == u32(group_count()) - 1) *given = 0, *done = 0;
        }
    }
    // The consumers' next granule, whose first tile is the n-th; less than 0: no more.
    static INGOT_MEMBER int next_granule(int turn, int n) {
        if constexpr (has_bulk_copy) {
            mbarrier_wait(full(n % Stages), u32(n / Stages) & 1);
            return granule_at(n % Stages);
        }
        return begin() + turn < end() ? begin() + turn : -1;
    }

    static INGOT_MEMBER void load(Chunk (&w)[lane_chunks], const u8* from, int row, int lane) {
#pragma unroll
        for (int c = 0; c < lane_chunks; ++c) {
            const int chunk = lane + c * row_lanes;
            if (chunks % row_lanes == 0 || chunk < chunks)
                w[c] = F::template load<K, Height>(from, row, chunk);
        }
    }

    // Of a lane's chunks with what input(c) gives.
    template <class Input>
    static INGOT_MEMBER f32 dot(const Chunk (&w)[lane_chunks], int lane, Input input) {
        f32 s = 0;
#pragma unroll
        for (int c = 0; c < lane_chunks; ++c)
            if (chunks % row_lanes == 0 || lane + c * row_lanes < chunks) s += F::dot(w[c], input(c));
        return s;
    }
    // Of a token's sum of a row of tile `i` of a granule, where one of `parts` lies.
    static INGOT_MEMBER int place(int i, int row, int part, int token) {
        return ((i % Halves * Granule + i / Halves * Height + row) * parts + part) * Rows + token;
    }

    // x.load(row, chunk) gives activations. 32 lanes call epilogue(column, valid, token, turn, sums of the
    // column, ahead) for 32 neighbouring columns at a time, also past N, and before the product read(column,
    // valid, token, ahead) for what it needs from memory.
    template <class Ahead, class X, class Read, class Epilogue>
    static INGOT_MEMBER void consume(const u8* weights, X x, int rows, Read read, Epilogue epilogue) {
        static_assert((waves & (waves - 1)) == 0 && consumers % Height == 0);
        const int thread = thread_index(), row = thread / row_lanes, lane = thread % row_lanes;
        f32* const meeting = reinterpret_cast<f32*>(shared_memory() + ring_bytes + barrier_bytes);
        using Input = decltype(x.load(0, 0));
        Input own[lane_chunks];
        if constexpr (Rows == 1) {
#pragma unroll
            for (int c = 0; c < lane_chunks; ++c) {
                const int chunk = lane + c * row_lanes;
                if (chunks % row_lanes == 0 || chunk < chunks) own[c] = x.load(0, chunk);
            }
        }
        Chunk w[lane_chunks];
        if constexpr (!has_bulk_copy)
            if (begin() < end()) load(w, tile(weights, begin(), 0), row, lane);
        int n = 0;
        for (int turn = 0;; ++turn) {
            const int g = next_granule(turn, n);
            if (g < 0) break;
            f32* const out = meeting + (turn & 1) * sums;
            const int column = thread % 32;
            const bool valid = column < Granule && g * Granule + column < N;
            // Whole turns of all waves, so that what is kept for each turn can stay in registers.
            constexpr int turns = (Rows + waves - 1) / waves;
            Ahead ahead[turns];
#pragma unroll
            for (int t0 = 0; t0 < turns; ++t0) {
                const int t = int(u32(t0 * waves) | u32(thread) / 32 % waves);
                if (t < (Rows == 1 ? 1 : rows)) read(g * Granule + column, valid, t, ahead[t0]);
            }
            if constexpr (at_once == 2) {
                for (int i = 0; i < granule_tiles; i += 2, n += 2) {
                    Chunk two[2][lane_chunks];
#pragma unroll
                    for (int j = 0; j < 2; ++j)
                        mbarrier_wait(full((n + j) % Stages), u32((n + j) / Stages) & 1);
#pragma unroll
                    for (int j = 0; j < 2; ++j)
                        load(two[j], shared_memory() + (n + j) % Stages * TileBytes, row, lane);
                    const auto input = [&](int c) { return own[c]; };
                    const f32 first = dot(two[0], lane, input), second = dot(two[1], lane, input);
                    mbarrier_arrive(empty(n % Stages));
                    mbarrier_arrive(empty((n + 1) % Stages));
                    const f32 s = sum_lanes_of_two(first, second);
                    if (thread % 16 == 0) out[place(i + thread % 32 / 16, row, lane / 32, 0)] = s;
                }
            } else {
                for (int i = 0; i < granule_tiles; ++i, ++n) {
                    Chunk ahead[lane_chunks];
                    if constexpr (has_bulk_copy) {
                        mbarrier_wait(full(n % Stages), u32(n / Stages) & 1);
                        load(w, shared_memory() + n % Stages * TileBytes, row, lane);
                    } else {
                        const bool same = i + 1 < granule_tiles;
                        if (same || g + 1 < end())
                            load(ahead, tile(weights, same ? g : g + 1, same ? i + 1 : 0), row, lane);
                    }
                    for (int t = 0; t < (Rows == 1 ? 1 : rows); ++t) {
                        const f32 s = sum_lanes<(row_lanes < 32 ? row_lanes : 32)>(dot(w, lane, [&](int c) {
                            return Rows == 1 ? own[c] : x.load(t, lane + c * row_lanes);
                        }));
                        if (lane % 32 == 0) out[place(i, row, lane / 32, t)] = s;
                    }
                    if constexpr (has_bulk_copy) {
                        mbarrier_arrive(empty(n % Stages));
                    } else {
#pragma unroll
                        for (int c = 0; c < lane_chunks; ++c)
                            w[c] = ahead[c];
                    }
                }
            }
            part_barrier<consumers>();
            // Two sets of sums: the next granule's go elsewhere, and the barrier after it comes behind this
            // reading.
#pragma unroll
            for (int t0 = 0; t0 < turns; ++t0) {
                const int t = int(u32(t0 * waves) | u32(thread) / 32 % waves);
                if (t >= (Rows == 1 ? 1 : rows)) break;
                f32 y[Halves] = {};
                if (column < Granule) {
#pragma unroll
                    for (int h = 0; h < Halves; ++h)
#pragma unroll
                        for (int p = 0; p < parts; ++p)
                            y[h] += out[((h * Granule + column) * parts + p) * Rows + t];
                }
                epilogue(g * Granule + column, valid, t, t0, y, ahead[t0]);
            }
        }
    }
};

} // namespace ingot_gpu
