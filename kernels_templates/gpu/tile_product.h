// A matrix product with many rows of activations: bound by arithmetic, so it runs on matrix instructions.
//
// A workgroup computes 128 rows of the weights for 128 tokens. Both are brought to f16 in shared memory some
// columns at a time, while the next are on their way in registers; the sums are f32. They go through shared
// memory, where groups of 32 lanes take 32 neighbouring columns of a token at a time through what follows.
//
// A number that f16 can't hold is two parts, itself in f16 and the f16 of what is left, which together have
// 22 bits; the product of two second parts is below f32's last bit and left out.
#pragma once

#include "gpu/half_blocks.h"
#include "gpu/matrix.h"
#include "gpu/tile_epilogue.h"

namespace ingot_gpu {

inline constexpr int tile_threads = 256;

// F: format of the weights. Halves, N, K, Height, TileBytes as StreamProduct has them. Rows: most tokens.
// Values: numbers of each token that the epilogue reads. WeightParts, TokenParts: of each number, 1 or 2.
template <class F, int Halves, int N, int K, int Height, int TileBytes, int Rows, int Values, int WeightParts,
          int TokenParts>
struct TileProduct {
    static constexpr int half_blocks = (K + 15) / 16;
    static constexpr int depth = TokenParts == 1 ? 64 : 32; // columns at a time
    static constexpr int steps = (K + depth - 1) / depth;
    static constexpr int columns = tile_rows / Halves; // of the result, that a workgroup computes
    static constexpr int last_tile = (N + Height - 1) / Height - 1;
    static constexpr int stride = depth + 8; // of a row in shared memory, in f16: no two rows share banks
    static constexpr int sum_stride = tile_rows + 4; // of a token's sums, in f32
    static constexpr int epilogue_tokens = 64;       // whose sums are in shared memory at once
    static constexpr int weight_size = tile_rows * stride, token_size = tile_tokens * stride; // of a part
    static constexpr int operand_size = WeightParts * weight_size + TokenParts * token_size;
    static constexpr int operand_bytes = operand_size * 2;
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
        // A thread brings half of a row's columns, of weights and of activations.
        constexpr int brought = depth / 32; // half blocks of 16
        const int row = thread / 2, own = thread % 2 * brought;
        int token = first_token + row;
        token = token < tokens ? token : tokens - 1; // likewise
        f32 largest = x.largest(token, thread % 2, 2);
        largest = max(largest, shuffle_xor(largest, 1));
        const f32 factor = factor_for(largest);
        if (thread % 2 == 0) factors[row] = factor;
        Raw w[brought];
        typename X::Raw v[brought];
        const auto fetch = [&](int step) {
#pragma unroll
            for (int i = 0; i < brought; ++i) {
                const int half_block = step * (depth / 16) + own + i;
                if (K % depth == 0 || half_block < half_blocks) {
                    w[i] = load_weights(weights, row, half_block);
                    v[i] = x.load(token, half_block);
                }
            }
        };
        const auto put = [&](int step) {
            u16* const to = operands + step % buffers * operand_size + row * stride;
#pragma unroll
            for (int i = 0; i < brought; ++i) {
                const int half_block = step * (depth / 16) + own + i;
                Half16 wn[WeightParts] = {}, xn[TokenParts] = {};
                if (K % depth == 0 || half_block < half_blocks) {
                    wn[0] = F::numbers(w[i], half_block % 2);
                    xn[0] = X::numbers(v[i], factor);
                    if constexpr (WeightParts == 2) wn[1] = F::rest(w[i]);
                    if constexpr (TokenParts == 2) xn[1] = X::rest(v[i], factor);
                }
#pragma unroll
                for (int p = 0; p < WeightParts; ++p)
                    store_half(wn[p], to + p * weight_size + (own + i) * 16);
#pragma unroll
                for (int p = 0; p < TokenParts; ++p)
                    store_half(xn[p], to + WeightParts * weight_size + p * token_size + (own + i) * 16);
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
            const u16* const a = operands + step % buffers * operand_size;
            const u16* const b = a + WeightParts * weight_size;
            // Operands of more than one depth at once would take the registers of the sums.
#pragma unroll(TokenParts == 1 ? depth / matrix_depth : 1)
            for (int k = 0; k < depth; k += matrix_depth)
#pragma unroll 1
                for (int q = 0; q < TokenParts; ++q) {
                    Operand16 right[n];
#pragma unroll
                    for (int j = 0; j < n; ++j)
                        right[j] = load_right(b + q * token_size + (n0 + j * 16) * stride + k, stride);
#pragma unroll
                    for (int p = 0; p < WeightParts && p + q < 2; ++p) {
                        Operand16 left[m];
#pragma unroll
                        for (int i = 0; i < m; ++i)
                            left[i] = load_left(a + p * weight_size + (m0 + i * 16) * stride + k, stride);
#pragma unroll
                        for (int i = 0; i < m; ++i)
#pragma unroll
                            for (int j = 0; j < n; ++j)
                                multiply(sums[i][j], left[i], right[j]);
                    }
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

  private:
    static INGOT_MEMBER void store_half(const Half16& x, u16* to) {
        reinterpret_cast<Words4*>(to)[0] = {x.words[0], x.words[1], x.words[2], x.words[3]};
        reinterpret_cast<Words4*>(to)[1] = {x.words[4], x.words[5], x.words[6], x.words[7]};
    }
};

} // namespace ingot_gpu
