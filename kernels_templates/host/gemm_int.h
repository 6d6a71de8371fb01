// Quantised weights by quantised activations.
#pragma once

#include "dot.h"

namespace ingot_host {

// One token: the weights stream through once, straight from their packed form.
template <class Format, int K, int Group, class Epilogue>
inline void multiply_one(const u8* w, const u8* row, int panel_begin, int panel_end, Epilogue& epilogue) {
    constexpr int panel_bytes = Format::template panel_bytes<K>();
    int panel = panel_begin;
    if constexpr (Group == 1) {
        for (; panel + 2 <= panel_end; panel += 2) {
            f32x16 pair[2];
            dot_panels<Format, K, 2>(w + u64(panel) * u64(panel_bytes), row, pair);
#pragma unroll
            for (int i = 0; i < 2; ++i) {
                const f32x16 y[1] = {pair[i]};
                epilogue(panel + i, 0, y);
            }
        }
        if (panel < panel_end) {
            f32x16 y[1];
            dot_panels<Format, K, 1>(w + u64(panel) * u64(panel_bytes), row, y);
            epilogue(panel, 0, y);
        }
    } else {
        for (; panel < panel_end; panel += Group) {
            f32x16 y[Group];
            for (int i = 0; i < Group; i += 2) {
                f32x16 pair[2];
                dot_panels<Format, K, 2>(w + u64(panel + i) * u64(panel_bytes), row, pair);
                y[i] = pair[0];
                y[i + 1] = pair[1];
            }
            epilogue(panel, 0, y);
        }
    }
}

// Tokens of one pass over the weights: their rows stay in the second-level cache.
template <int K>
inline constexpr int tokens_at_once = (196608 / Q8Row<K>::bytes / tile_tokens + 1) * tile_tokens;

// Many tokens: panels are unpacked into a cache-resident scratch and used for all tokens of a pass.
template <class Format, int K, int Group, class Epilogue>
inline void multiply_many(const u8* w, const u8* rows, int tokens, int panel_begin, int panel_end,
                          Epilogue& epilogue) {
    constexpr int row_bytes = Q8Row<K>::bytes;
    constexpr int panel_bytes = Format::template panel_bytes<K>();
    constexpr int chunk = Group > tile_panels ? Group : tile_panels;
    UnpackedPanel<Format, K> panels[chunk];
    // A last tile with fewer tokens computes on copies of its rows, followed by zeros.
    u8 padded[tile_tokens * row_bytes];
    const int rest = tokens % tile_tokens;
    for (int i = 0; i < tile_tokens * row_bytes; ++i)
        padded[i] = i < rest * row_bytes ? rows[(tokens - rest) * row_bytes + i] : 0;

    for (int pass = 0; pass < tokens; pass += tokens_at_once<K>) {
        const int pass_end = tokens < pass + tokens_at_once<K> ? tokens : pass + tokens_at_once<K>;
        for (int panel = panel_begin; panel < panel_end; panel += chunk) {
            const int count = panel_end - panel < chunk ? panel_end - panel : chunk;
            for (int i = 0; i < chunk; ++i)
                panels[i].unpack(w + u64(panel + (i < count ? i : 0)) * u64(panel_bytes));
            for (int t = pass; t < pass_end; t += tile_tokens) {
                const int valid = pass_end - t < tile_tokens ? pass_end - t : tile_tokens;
                const TokenTile<Format, K> tile(valid == tile_tokens ? rows + u64(t) * u64(row_bytes)
                                                                     : padded);
                f32x16 y[tile_tokens][chunk / Group][Group];
                for (int p = 0; p < chunk; p += tile_panels)
                    dot_tile<Format, K>(panels + p, tile, &y[0][0][0] + p, chunk);
                for (int g = 0; g < chunk / Group && g * Group < count; ++g)
                    for (int i = 0; i < valid; ++i)
                        epilogue(panel + g * Group, t + i, y[i][g]);
            }
        }
    }
}

} // namespace ingot_host
