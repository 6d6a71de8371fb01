// A matrix product with many rows of activations on warpgroup matrix instructions (sm_90).
//
// A workgroup computes 128 rows of the weights for 128 tokens. Two warpgroups have 64 rows each: their
// weights go from memory to registers, where they become f16, which is the form that the left operand wants.
// A third one brings the activations to f16 in a ring in shared memory, which is the right operand, 128
// columns (a slab) at a time. A sum does not depend on the order of what is summed, so columns are dealt such
// that a lane gets whole blocks: in products 0..7 of a slab lane l has block l % 4, in product s the elements
// 4s..4s+3 of it; in each register those 0 and 2, or 1 and 3, of the four (see Half16). Activations are
// scaled and sums go on as in tile_product.h.
#pragma once

#include "gpu/half_blocks.h"
#include "gpu/matrix/wgmma.h"
#include "gpu/tile_epilogue.h"

namespace ingot_gpu {

inline constexpr int warpgroup_threads = 512, product_threads = 256;

// F, Halves, N, K, Height, TileBytes, Rows as TileProduct has them. Values: numbers of each token that the
// epilogue reads.
template <class F, int Halves, int N, int K, int Height, int TileBytes, int Rows, int Values>
struct WarpgroupProduct {
    static constexpr int slab = 128, blocks = K / 32;
    static constexpr int slabs = (K + slab - 1) / slab;
    static constexpr int columns = tile_rows / Halves;
    static constexpr int last_tile = (N + Height - 1) / Height - 1;
    static constexpr int stages = 4, stage_bytes = 2 * right_panel_bytes;
    static constexpr int sum_stride = tile_rows + 4;
    static_assert(tile_tokens * sum_stride * 4 <= stages * stage_bytes);
    static constexpr int registers_of_products = 176, registers_of_activations = 80;
    static_assert(K % 32 == 0);

    // In shared memory, behind the ring, which the sums take over.
    struct Shared {
        u64 full[stages], empty[stages];
        f32 factors[tile_tokens];
        f32 values[Values > 0 ? Values : 1][tile_tokens];
    };
    static constexpr int shared_bytes = 1024 + stages * stage_bytes + int(sizeof(Shared));

    using Chunk = typename F::Chunk;
    using Input = Q8HalfBlocks<Rows, K>;

    static INGOT_MEMBER u8* ring() {
        return shared_memory() + (1024 - shared_address(shared_memory()) % 1024) % 1024;
    }
    static INGOT_MEMBER Shared& shared() { return *reinterpret_cast<Shared*>(ring() + stages * stage_bytes); }

    // As TileProduct::run.
    template <class Ahead, class SetValues, class Read, class Epilogue>
    static INGOT_MEMBER void run(const u8* weights, Input x, int tokens, SetValues set_values, Read read,
                                 Epilogue epilogue) {
        Shared& s = shared();
        const int thread = thread_index(), warp = thread / 32, lane = thread % 32;
        const int first_token = group_index() * tile_tokens;
        if (thread == 0) {
            for (int i = 0; i < stages; ++i) {
                mbarrier_init(&s.full[i], 4);
                mbarrier_init(&s.empty[i], product_threads / 32);
            }
            mbarrier_init_fence();
        }
        wait_for_dependencies();
        start_dependents();
#pragma unroll 4
        for (int t = warp; t < tile_tokens; t += warpgroup_threads / 32) {
            const int token = first_token + t;
            f32 largest = x.largest(token < tokens ? token : tokens - 1, lane, 32);
#pragma unroll
            for (int mask = 16; mask > 0; mask /= 2)
                largest = max(largest, shuffle_xor(largest, mask));
            if (lane == 0) s.factors[t] = factor_for(largest);
        }
        barrier();
        if (thread >= product_threads) {
            give_registers<registers_of_activations>();
            bring_activations(x, first_token, tokens);
            for (int t = warp - product_threads / 32; t < tile_tokens; t += 8)
                if (first_token + t < tokens) set_values(first_token + t, &s.values[0][t]);
            named_barrier_arrive<2, warpgroup_threads>();
        } else {
            take_registers<registers_of_products>();
            WarpgroupSums sums;
            multiply_all(weights, sums);
            // The last products have read the ring.
            part_barrier<product_threads>();
            f32* const out = reinterpret_cast<f32*>(ring()); // [tile_tokens][sum_stride]
            const int row = warp * 16 + lane / 4;
#pragma unroll
            for (int i = 0; i < 64; ++i)
                out[(i / 4 * 8 + lane % 4 * 2 + i % 2) * sum_stride + row + i / 2 % 2 * 8] = sums.x[i];
            named_barrier<2, warpgroup_threads>();
            follow<Ahead, tile_tokens, product_threads / 32, sum_stride, Halves, columns, N>(
                out, s.factors, &s.values[0][0], first_token, tokens, warp, read, epilogue);
        }
    }

  private:
    // The life of a warpgroup that has every second slab. A lane has one block of every eighth token, and
    // four lanes have a token's slab: no two write to one bank.
    static INGOT_MEMBER void bring_activations(Input x, int first_token, int tokens) {
        Shared& s = shared();
        const int thread = (thread_index() - product_threads) % 128, lane = thread % 32;
        const int part = lane % 4, first = thread / 32 * 32 + lane / 4;
        for (int j = (thread_index() - product_threads) / 128; j < slabs; j += 2) {
            typename Input::Raw raw[4][2];
            const int block = j * 4 + part;
#pragma unroll
            for (int i = 0; i < 4; ++i) {
                // What lies behind the last token gives sums that nobody reads, where memory goes so far.
                int token = first_token + first + 8 * i;
                if (Rows % tile_tokens != 0) token = token < tokens ? token : tokens - 1;
#pragma unroll
                for (int half = 0; half < 2; ++half) {
                    if (K % slab == 0 || block < blocks)
                        raw[i][half] = x.load(token, 2 * block + half);
                    else
                        raw[i][half] = {};
                }
            }
            const int stage = j % stages;
            if (j >= stages) mbarrier_wait(&s.empty[stage], u32(j / stages - 1) & 1);
            u8* at[8];
#pragma unroll
            for (int k = 0; k < 8; ++k)
                at[k] = ring() + stage * stage_bytes + right_panel_offset(first, k) + 4 * part;
#pragma unroll
            for (int i = 0; i < 4; ++i)
#pragma unroll
                for (int half = 0; half < 2; ++half) {
                    const Half16 numbers = Input::numbers(raw[i][half], s.factors[first + 8 * i]);
#pragma unroll
                    for (int k = 0; k < 8; ++k)
                        *reinterpret_cast<u32*>(at[k] + half * right_panel_bytes + 8 * i * 128) =
                            numbers.words[k];
                }
            products_see_writes();
            wave_barrier();
            if (lane == 0) mbarrier_arrive(&s.full[stage]);
        }
    }

    // The other warpgroups'.
    static INGOT_MEMBER void multiply_all(const u8* weights, WarpgroupSums& sums) {
        Shared& s = shared();
        const int thread = thread_index(), warp = thread / 32, lane = thread % 32, block = lane % 4;
        const u8* tiles[2];
        int rows[2];
#pragma unroll
        for (int h = 0; h < 2; ++h) {
            const int r = warp * 16 + lane / 4 + 8 * h; // halves lie one behind the other
            const int column = group_index_y() * columns + r % columns;
            int tile = column / Height;
            tile = tile < last_tile ? tile : last_tile; // rows past the end give sums that nobody reads
            tiles[h] = weights + u64(u32(tile * Halves + r / columns)) * TileBytes;
            rows[h] = column % Height;
        }
        Chunk raw[2];
        const auto load = [&](int j) {
#pragma unroll
            for (int h = 0; h < 2; ++h) {
                if (K % slab == 0 || j * 4 + block < blocks)
                    raw[h] = F::template load<K, Height>(tiles[h], rows[h], j * 4 + block);
                else
                    raw[h] = {};
            }
        };
        struct Left {
            Half16 x[2][2]; // of both rows, both halves of the block
        };
        const auto convert = [&](Left& left) {
#pragma unroll
            for (int h = 0; h < 2; ++h)
#pragma unroll
                for (int half = 0; half < 2; ++half)
                    left.x[h][half] = F::numbers(raw[h], half);
        };
        const auto multiply_slab = [&](const Left& left, int j) {
            const u8* const panels = ring() + j % stages * stage_bytes;
            mbarrier_wait(&s.full[j % stages], u32(j / stages) & 1);
            products_fence();
#pragma unroll
            for (int p = 0; p < 8; ++p) {
                const Half16 &a = left.x[0][p / 4], &b = left.x[1][p / 4];
                const int w = p % 4 * 2;
                multiply(sums, a.words[w], b.words[w], a.words[w + 1], b.words[w + 1],
                         right_panel(panels + p / 4 * right_panel_bytes, p % 4));
            }
            products_commit();
        };
        const auto finish = [&](int j) {
            products_wait(sums);
            if (lane == 0) mbarrier_arrive(&s.empty[j % stages]);
        };
#pragma unroll
        for (int i = 0; i < 64; ++i)
            sums.x[i] = 0;
        Left even, odd;
        load(0);
        convert(even);
        if (slabs > 1) load(1);
        for (int j = 0; j < slabs; j += 2) {
            multiply_slab(even, j);
            if (j + 1 < slabs) convert(odd);
            if (j + 2 < slabs) load(j + 2);
            finish(j);
            if (j + 1 >= slabs) break;
            multiply_slab(odd, j + 1);
            if (j + 2 < slabs) convert(even);
            if (j + 3 < slabs) load(j + 3);
            finish(j + 1);
        }
    }
};

} // namespace ingot_gpu
