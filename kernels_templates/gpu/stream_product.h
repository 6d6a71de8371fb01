// A matrix product with few rows of activations (1 to 16): bound by reading the weights once.
//
// A few workgroups stay for the whole product, each with a contiguous range of the rows in granules of
// `Granule`. Where there are bulk copies one thread keeps a ring of tiles in shared memory full, from before
// the launches that this one depends on are complete; elsewhere every lane has its next chunks in registers.
// 256 threads share the rows of a tile: 256 / height lanes a row. A granule's sums meet in shared memory,
// where groups of 32 lanes take 32 neighbouring columns at a time through what follows the product.
#pragma once

#include "gpu/formats/blocks.h"

namespace ingot_gpu {

inline constexpr int consumers = 256;
inline constexpr int stream_threads = has_bulk_copy ? consumers + 32 : consumers;

// One row of sums over 32 lanes, or fewer.
template <int Width>
INGOT_DEVICE f32 sum_lanes(f32 v) {
#pragma unroll
    for (int mask = Width / 2; mask > 0; mask /= 2)
        v += shuffle_xor(v, mask);
    return v;
}

// F: format. N: rows of the matrix, of each half where Halves is 2 (tiles of both in turn). K: columns.
// Height and TileBytes as ir/row_tiles.h has them. Granule: columns that are computed together. Rows: most
// rows of activations. Stages: of the ring.
template <class F, int Halves, int N, int K, int Height, int TileBytes, int Granule, int Rows, int Stages>
struct StreamProduct {
    static_assert((consumers / 32 & (consumers / 32 - 1)) == 0);
    static_assert(Granule % Height == 0 && Granule <= 32 && consumers % Height == 0);
    static constexpr int chunks = (K + F::chunk - 1) / F::chunk; // of a row
    static constexpr int row_lanes = consumers / Height;
    static constexpr int lane_chunks = (chunks + row_lanes - 1) / row_lanes;
    static constexpr int parts =
        row_lanes > 32 ? row_lanes / 32 : 1; // sums of a row that meet in shared memory
    static constexpr int granules = (N + Granule - 1) / Granule;
    static constexpr int granule_tiles = Granule / Height * Halves;
    static constexpr int tiles = (N + Height - 1) / Height; // of each half
    static constexpr int waves = consumers / 32;            // of 32 lanes
    static constexpr int sums = Halves * Granule * parts * Rows;

    // In shared memory: the ring, its barriers, two sets of sums.
    static constexpr int ring_bytes = has_bulk_copy ? Stages * TileBytes : 0;
    static constexpr int barrier_bytes = has_bulk_copy ? Stages * 16 : 0;
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

    // Tile `i` of granule `g`; past the end of the matrix the last one, whose sums nobody reads.
    static INGOT_MEMBER const u8* tile(const u8* weights, int g, int i) {
        int t = g * (Granule / Height) + i / Halves;
        t = t < tiles ? t : tiles - 1;
        return weights + u64(u32(t * Halves + i % Halves)) * TileBytes;
    }

    // Before anything that depends on earlier launches.
    static INGOT_MEMBER void start(const u8* weights) {
        if constexpr (has_bulk_copy) {
            if (thread_index() == 0) {
                for (int s = 0; s < Stages; ++s) {
                    mbarrier_init(full(s), 1);
                    mbarrier_init(empty(s), consumers / 32);
                }
                mbarrier_init_fence();
            }
            barrier();
        }
    }

    // The copying warp's whole life.
    static INGOT_MEMBER void produce(const u8* weights) {
        if constexpr (has_bulk_copy) {
            if (thread_index() != consumers) return;
            int n = 0;
            for (int g = begin(); g < end(); ++g)
                for (int i = 0; i < granule_tiles; ++i, ++n) {
                    const int stage = n % Stages;
                    if (n >= Stages) mbarrier_wait(empty(stage), u32(n / Stages - 1) & 1);
                    mbarrier_expect(full(stage), TileBytes);
                    bulk_copy(shared_memory() + stage * TileBytes, tile(weights, g, i), TileBytes,
                              full(stage));
                }
        }
    }

    static INGOT_MEMBER void load(Chunk (&w)[lane_chunks], const u8* from, int row, int lane) {
#pragma unroll
        for (int c = 0; c < lane_chunks; ++c) {
            const int chunk = lane + c * row_lanes;
            if (chunks % row_lanes == 0 || chunk < chunks)
                w[c] = F::template load<K, Height>(from, row, chunk);
        }
    }

    // x.load(row, chunk) gives activations; epilogue(column, token, sums of the column) is called by 32 lanes
    // for 32 neighbouring columns at a time, also past N.
    template <class X, class Epilogue>
    static INGOT_MEMBER void consume(const u8* weights, X x, int rows, Epilogue epilogue) {
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
        for (int g = begin(); g < end(); ++g) {
            f32* const out = meeting + (g & 1) * sums;
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
                const int half = i % Halves, column = i / Halves * Height + row;
                for (int t = 0; t < (Rows == 1 ? 1 : rows); ++t) {
                    f32 s = 0;
#pragma unroll
                    for (int c = 0; c < lane_chunks; ++c) {
                        const int chunk = lane + c * row_lanes;
                        if (chunks % row_lanes == 0 || chunk < chunks)
                            s += F::dot(w[c], Rows == 1 ? own[c] : x.load(t, chunk));
                    }
                    s = sum_lanes<(row_lanes < 32 ? row_lanes : 32)>(s);
                    if (lane % 32 == 0) out[((half * Granule + column) * parts + lane / 32) * Rows + t] = s;
                }
                if constexpr (has_bulk_copy) {
                    // The loads above are done: their values have been used.
                    if (thread % 32 == 0) mbarrier_arrive(empty(n % Stages));
                } else {
#pragma unroll
                    for (int c = 0; c < lane_chunks; ++c)
                        w[c] = ahead[c];
                }
            }
            part_barrier<consumers>();
            // Two sets of sums: the next granule's go elsewhere, and the barrier after it comes behind this
            // reading.
            // Whole turns of all waves, so that what an epilogue keeps for each turn can stay in registers.
#pragma unroll
            for (int turn = 0; turn < (Rows + waves - 1) / waves; ++turn) {
                const int t = int(u32(turn * waves) | u32(thread) / 32 % waves);
                if (t >= (Rows == 1 ? 1 : rows)) break;
                const int column = thread % 32;
                f32 y[Halves] = {};
                if (column < Granule) {
#pragma unroll
                    for (int h = 0; h < Halves; ++h)
#pragma unroll
                        for (int p = 0; p < parts; ++p)
                            y[h] += out[((h * Granule + column) * parts + p) * Rows + t];
                }
                epilogue(g * Granule + column, column < Granule && g * Granule + column < N, t, y);
            }
        }
    }
};

} // namespace ingot_gpu
