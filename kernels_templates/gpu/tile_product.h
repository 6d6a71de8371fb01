// A matrix product with many rows of activations: bound by arithmetic, so it runs on matrix instructions.
//
// A workgroup computes 128 rows of the weights for 128 tokens. Both are brought to f16 in shared memory 64
// columns at a time, while the next 64 are on their way in registers; the sums are f32. They go through
// shared memory, where groups of 32 lanes take 32 neighbouring columns of a token at a time through what
// follows.
#pragma once

#include "gpu/half_blocks.h"
#include "gpu/matrix.h"
#include "gpu/tile_epilogue.h"

namespace ingot_gpu {

inline constexpr int tile_threads = 256;
inline constexpr int tile_depth = 64; // columns at a time

// F: format of the weights. Halves, N, K, Height, TileBytes as StreamProduct has them. Rows: most tokens.
// Values: numbers of each token that the epilogue reads.
template <class F, int Halves, int N, int K, int Height, int TileBytes, int Rows, int Values>
struct TileProduct {
    static constexpr int half_blocks = (K + 15) / 16;
    static constexpr int steps = (K + tile_depth - 1) / tile_depth;
    static constexpr int columns = tile_rows / Halves; // of the result, that a workgroup computes
    static constexpr int last_tile = (N + Height - 1) / Height - 1;
    static constexpr int stride =
        tile_depth + 8; // of a row in shared memory, in f16: no two rows share banks
    static constexpr int sum_stride = tile_rows + 4; // of a token's sums, in f32
    static constexpr int epilogue_tokens = 64;       // whose sums are in shared memory at once
    static constexpr int operand_bytes = (tile_rows + tile_tokens) * stride * 2;
    static constexpr int buffers = 2 * operand_bytes + 1024 <= group_memory ? 2 : 1; // of operands
    static constexpr int sum_bytes = epilogue_tokens * sum_stride * 4;
    static constexpr int value_bytes = (1 + Values) * tile_tokens * 4; // factors of the tokens first
    static constexpr int shared_bytes =
        value_bytes + (buffers * operand_bytes > sum_bytes ? buffers * operand_bytes : sum_bytes);

    using Raw = typename F::HalfBlock;

    // Row r of the workgroup's weights: halves lie one behind the other.
    static INGOT_MEMBER Raw load_weights(const u8* weights, int r, int half_block) {
        const int half = r / columns, column = group_index_y() * columns + r % columns;
        int tile = column / Height;
        tile = tile < last_tile ? tile : last_tile; // rows past the end give sums that nobody reads
        const u8* const at = weights + u64(u32(tile * Halves + half)) * TileBytes;
        return F::template load_half<K, Height>(at, column % Height, half_block);
    }

    // `set_values(token, to)` is called by 32 lanes and writes the token's numbers to to[i * tile_tokens];
    // the epilogue reads them there. read and epilogue as StreamProduct has them.
    template <class Ahead, class X, class SetValues, class Read, class Epilogue>
    static INGOT_MEMBER void run(const u8* weights, X x, int tokens, SetValues set_values, Read read,
                                 Epilogue epilogue) {
        f32* const factors = reinterpret_cast<f32*>(shared_memory()); // of the tokens
        f32* const values = factors + tile_tokens;
        u16* const operands = reinterpret_cast<u16*>(values + Values * tile_tokens);
        const int thread = thread_index(), first_token = group_index() * tile_tokens;
        wait_for_dependencies();
        start_dependents();
        // A thread brings half of a row's 64 columns: two half blocks of 16 of weights and two of
        // activations.
        const int row = thread / 2, part = thread % 2 * 2;
        int token = first_token + row;
        token = token < tokens ? token : tokens - 1; // likewise
        f32 largest = x.largest(token, thread % 2, 2);
        largest = max(largest, shuffle_xor(largest, 1));
        const f32 factor = factor_for(largest);
        if (thread % 2 == 0) factors[row] = factor;
        Raw w[2];
        typename X::Raw v[2];
        const auto fetch = [&](int step) {
#pragma unroll
            for (int i = 0; i < 2; ++i) {
                const int half_block = step * (tile_depth / 16) + part + i;
                if (K % tile_depth == 0 || half_block < half_blocks) {
                    w[i] = load_weights(weights, row, half_block);
                    v[i] = x.load(token, half_block);
                }
            }
        };
        const auto put = [&](int step) {
            u16* const a = operands + step % buffers * (operand_bytes / 2);
            u16* const b = a + tile_rows * stride;
#pragma unroll
            for (int i = 0; i < 2; ++i) {
                const int half_block = step * (tile_depth / 16) + part + i;
                Half16 wn = {}, xn = {};
                if (K % tile_depth == 0 || half_block < half_blocks) {
                    wn = F::numbers(w[i], half_block % 2);
                    xn = X::numbers(v[i], factor);
                }
                Words4* const to_a = reinterpret_cast<Words4*>(a + row * stride + (part + i) * 16);
                Words4* const to_b = reinterpret_cast<Words4*>(b + row * stride + (part + i) * 16);
                to_a[0] = {wn.words[0], wn.words[1], wn.words[2], wn.words[3]};
                to_a[1] = {wn.words[4], wn.words[5], wn.words[6], wn.words[7]};
                to_b[0] = {xn.words[0], xn.words[1], xn.words[2], xn.words[3]};
                to_b[1] = {xn.words[4], xn.words[5], xn.words[6], xn.words[7]};
            }
        };

        // Waves share the 8 x 8 matrices of 16 x 16: each has a rectangle of them.
        constexpr int waves = tile_threads / lanes, wave_columns = waves == 8 ? 2 : 2,
                      wave_rows = waves / wave_columns;
        constexpr int m = tile_rows / 16 / wave_columns, n = tile_tokens / 16 / wave_rows;
        const int wave = thread / lanes, m0 = wave % wave_columns * m * 16, n0 = wave / wave_columns * n * 16;
        Sums16 sums[m][n];
#pragma unroll
        for (int i = 0; i < m; ++i)
#pragma unroll
            for (int j = 0; j < n; ++j)
                clear(sums[i][j]);

        fetch(0);
        if constexpr (buffers == 2) {
            put(0);
            if (steps > 1) fetch(1);
        }
        for (int step = 0; step < steps; ++step) {
            barrier();
            if constexpr (buffers == 1) {
                put(step);
                barrier();
                if (step + 1 < steps) fetch(step + 1);
            }
            const u16* const a = operands + step % buffers * (operand_bytes / 2);
            const u16* const b = a + tile_rows * stride;
#pragma unroll
            for (int k = 0; k < tile_depth; k += matrix_depth) {
                Operand16 left[m], right[n];
#pragma unroll
                for (int i = 0; i < m; ++i)
                    left[i] = load_left(a + (m0 + i * 16) * stride + k, stride);
#pragma unroll
                for (int j = 0; j < n; ++j)
                    right[j] = load_right(b + (n0 + j * 16) * stride + k, stride);
#pragma unroll
                for (int i = 0; i < m; ++i)
#pragma unroll
                    for (int j = 0; j < n; ++j)
                        multiply(sums[i][j], left[i], right[j]);
            }
            if constexpr (buffers == 2) {
                // The other buffer was read before the barrier.
                if (step + 1 < steps) put(step + 1);
                if (step + 2 < steps) fetch(step + 2);
            }
        }

        for (int t = thread / 32; t < tile_tokens && first_token + t < tokens; t += tile_threads / 32)
            set_values(first_token + t, values + t);
        f32* const out = reinterpret_cast<f32*>(operands); // [epilogue_tokens][sum_stride]
        for (int begin = 0; begin < tile_tokens && first_token + begin < tokens; begin += epilogue_tokens) {
            barrier();
#pragma unroll
            for (int j = 0; j < n; ++j) {
                const int at = n0 + j * 16 - begin;
                if (at < 0 || at >= epilogue_tokens) continue;
#pragma unroll
                for (int i = 0; i < m; ++i)
                    store(sums[i][j], out + at * sum_stride + m0 + i * 16, sum_stride);
            }
            barrier();
            follow<Ahead, epilogue_tokens, tile_threads / 32, sum_stride, Halves, columns, N>(
                out, factors + begin, values + begin, first_token + begin, tokens, thread / 32, read,
                epilogue);
        }
    }
};

} // namespace ingot_gpu
