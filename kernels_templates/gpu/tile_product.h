// A matrix product with many rows of activations: bound by arithmetic, so it runs on matrix instructions.
//
// A workgroup computes 128 rows of the weights for 128 tokens. Both are brought to f16 in shared memory 64
// columns at a time, while the next 64 are on their way in registers; the sums are f32. A token's activations
// are scaled by a power of two that brings the greatest of them near 1, because before its norm is applied a
// row may be of any size. The sums go through shared memory, where groups of 32 lanes take 32 neighbouring
// columns of a token at a time through what follows.
#pragma once

#include "gpu/formats/blocks.h"
#include "gpu/matrix.h"

namespace ingot_gpu {

inline constexpr int tile_threads = 256;
inline constexpr int tile_rows = 128;   // of weights
inline constexpr int tile_tokens = 128; // of activations
inline constexpr int tile_depth = 64;   // columns at a time

// The power of two that brings `largest` to between 1/2 and 1; 1 for zero.
INGOT_DEVICE f32 factor_for(f32 largest) {
    const u32 exponent = bits_of(largest) >> 23 & 255;
    return largest > 0.0f && exponent > 2 && exponent < 252 ? float_of((252 - exponent + 1) << 23) : 1.0f;
}

// What a thread loads of a quantised activation: half a block.
template <int Rows, int K>
struct Q8HalfBlocks {
    u8* base;
    struct Raw {
        Words4 codes;
        f32 scale;
    };
    INGOT_MEMBER const f32* scales(int row) const {
        return reinterpret_cast<const f32*>(base + u64(Rows) * K) + row * (K / 32);
    }
    INGOT_MEMBER Raw load(int row, int half_block) const {
        return {*reinterpret_cast<const Words4*>(base + u64(u32(row)) * K + half_block * 16),
                scales(row)[half_block / 2]};
    }
    // The largest of every `parts`th block from `part` on.
    INGOT_MEMBER f32 largest(int row, int part, int parts) const {
        f32 top = 0;
        for (int b = part; b < K / 32; b += parts)
            top = max(top, scales(row)[b]);
        return top * 127.0f;
    }
    static INGOT_MEMBER Half16 numbers(const Raw& raw, f32 factor) {
        constexpr u32 sign = 0x80808080u;
        const u32 codes[4] = {raw.codes.x ^ sign, raw.codes.y ^ sign, raw.codes.z ^ sign, raw.codes.w ^ sign};
        return numbers_of_codes<128, false>(codes, both(f32_to_f16(raw.scale * factor)), 0);
    }
};

// The same of activations in f32.
template <int K>
struct F32HalfBlocks {
    const f32* base;
    struct Raw {
        f32 x[16];
    };
    INGOT_MEMBER Raw load(int row, int half_block) const {
        Raw raw;
#pragma unroll
        for (int i = 0; i < 16; ++i)
            raw.x[i] =
                K % 16 == 0 || half_block * 16 + i < K ? base[u64(u32(row)) * K + half_block * 16 + i] : 0.0f;
        return raw;
    }
    INGOT_MEMBER f32 largest(int row, int part, int parts) const {
        f32 top = 0;
        for (int k = part; k < K; k += parts)
            top = max(top, abs(base[u64(u32(row)) * K + k]));
        return top;
    }
    static INGOT_MEMBER Half16 numbers(const Raw& raw, f32 factor) {
        Half16 out;
#pragma unroll
        for (int i = 0; i < 8; ++i)
            out.words[i] = pair_f16(raw.x[2 * i] * factor, raw.x[2 * i + 1] * factor);
        return out;
    }
};

// What follows a product of `Tokens` tokens whose sums, [Tokens][SumStride] with the halves one behind the
// other, lie in shared memory, by `Groups` groups of 32 lanes. Factors and values are those of the tokens.
template <class Ahead, int Tokens, int Groups, int SumStride, int Halves, int Columns, int N, class Read,
          class Epilogue>
INGOT_DEVICE void follow(const f32* sums, const f32* factors, const f32* values, int first_token, int tokens,
                         int group, Read read, Epilogue epilogue) {
    constexpr int at_once = 4, blocks = (Columns + 31) / 32; // tokens whose reads are on their way together
    const int lane = thread_index() % 32;
    for (int t0 = group; t0 < Tokens && first_token + t0 < tokens; t0 += Groups * at_once) {
        Ahead ahead[at_once][blocks];
#pragma unroll
        for (int u = 0; u < at_once; ++u)
#pragma unroll
            for (int b = 0; b < blocks; ++b) {
                const int token = first_token + t0 + u * Groups,
                          column = group_index_y() * Columns + b * 32 + lane;
                read(column, column < N, token < tokens ? token : tokens - 1, ahead[u][b]);
            }
#pragma unroll
        for (int u = 0; u < at_once; ++u) {
            const int t = t0 + u * Groups;
            if (t >= Tokens || first_token + t >= tokens) break;
            const f32 back = 1.0f / factors[t];
#pragma unroll
            for (int b = 0; b < blocks; ++b) {
                const int c = b * 32 + lane, column = group_index_y() * Columns + c;
                f32 y[Halves];
#pragma unroll
                for (int h = 0; h < Halves; ++h)
                    y[h] = sums[t * SumStride + h * Columns + c] * back;
                epilogue(column, column < N, first_token + t, y, ahead[u][b], values + t);
            }
        }
    }
}

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
