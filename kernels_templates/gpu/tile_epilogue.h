// What follows a product of a tile of weights and a tile of tokens.
#pragma once

#include "gpu/target.h"

namespace ingot_gpu {

inline constexpr int tile_rows = 128;   // of weights
inline constexpr int tile_tokens = 128; // of activations

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

} // namespace ingot_gpu
