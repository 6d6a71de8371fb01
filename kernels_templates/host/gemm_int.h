// Quantised weights by quantised activations.
#pragma once

#include "dot.h"

namespace ingot_host {

// One token: the weights stream through once, straight from their packed form.
template <class Format, int K, int Group, class Epilogue>
inline void multiply_one(const u8* w, const u8* row, int panel_begin, int panel_end, const u8* next,
                         Epilogue& epilogue) {
    constexpr int panel_bytes = Format::template panel_bytes<K>();
    const Stream stream(w + u64(panel_begin) * u64(panel_bytes), w + u64(panel_end) * u64(panel_bytes), next);
    for (int panel = panel_begin; panel < panel_end; panel += Group) {
        f32x16 y[Group];
        for (int i = 0; i < Group; ++i)
            y[i] = dot_panel<Format, K>(w + u64(panel + i) * u64(panel_bytes), row, stream);
        epilogue(panel, 0, y);
    }
}

// Blocks of a panel that are unpacked at once: as many as leave room in the first-level cache, and about as
// many each time.
template <class Format, int K>
constexpr int blocks_at_once() {
    constexpr int most = 24576 / int(tile_panels * sizeof(UnpackedBlock<Format>));
    constexpr int times = (K / 32 + most - 1) / most;
    return (K / 32 + times - 1) / times;
}

// Tokens of one pass over the weights: their rows stay in the second-level cache, and there are enough of
// them to pay for the unpacking.
template <int K>
constexpr int tokens_at_once() {
    constexpr int fit = 524288 / Q8Row<K>::bytes;
    constexpr int wanted = fit < 48 ? 48 : fit > 264 ? 264 : fit;
    return wanted / tile_tokens * tile_tokens;
}

// Many tokens: panels are unpacked into a cache-resident scratch and used for all tokens of a pass.
template <class Format, int K, int Group, class Epilogue>
inline void multiply_many(const u8* w, const u8* rows, int tokens, int panel_begin, int panel_end,
                          const u8* next, Epilogue& epilogue) {
    constexpr int row_bytes = Q8Row<K>::bytes, panel_bytes = Format::template panel_bytes<K>();
    constexpr int chunk = Group > tile_panels ? Group : tile_panels;
    constexpr int depth = blocks_at_once<Format, K>(), most = tokens_at_once<K>();
    UnpackedBlock<Format> unpacked[tile_panels * depth];
    TokenExtra<Format, K> extra[most];
    f32x16 y[most][chunk / Group][Group];
    u8 padded[tile_tokens * row_bytes]; // a last tile with fewer tokens: their rows, then zeros

    const u8 *share = w + u64(u32(panel_begin)) * u64(panel_bytes),
             *share_end = w + u64(u32(panel_end)) * u64(panel_bytes);
    const int passes = (tokens + most - 1) / most;
    const int size = ((tokens + passes - 1) / passes + tile_tokens - 1) / tile_tokens * tile_tokens;
    for (int first = 0; first < tokens; first += size) {
        const int count = tokens - first < size ? tokens - first : size;
        const int whole = count / tile_tokens * tile_tokens;
        const Stream stream(share, share_end, first + size < tokens ? share : next);
        const u8* own = rows + u64(u32(first)) * row_bytes;
        for (int t = 0; t < whole; ++t)
            extra[t].prepare(own + t * row_bytes);
        if (whole < count) {
            __builtin_memset(padded, 0, sizeof padded);
            __builtin_memcpy(padded, own + whole * row_bytes, u64(u32(count - whole)) * row_bytes);
            for (int t = 0; t < tile_tokens; ++t)
                extra[whole + t].prepare(padded + t * row_bytes);
        }
        for (int panel = panel_begin; panel < panel_end; panel += chunk) {
            for (int t = 0; t < (count + tile_tokens - 1) / tile_tokens * tile_tokens; ++t)
                for (int i = 0; i < chunk; ++i)
                    y[t][i / Group][i % Group] = f32x16{};
            for (int p = 0; p < chunk; p += tile_panels)
                for (int b = 0; b < K / 32; b += depth) {
                    const int end = b + depth < K / 32 ? b + depth : K / 32;
                    for (int i = 0; i < tile_panels; ++i) {
                        // Past the share's end the last panel stands in; nobody sees its result.
                        const int at = panel + p + i < panel_end ? panel + p + i : panel_end - 1;
                        for (int j = b; j < end; ++j) {
                            const u8* block = w + u64(u32(at)) * u64(panel_bytes) + j * Format::block_bytes;
                            stream.prefetch<Format::block_bytes>(block);
                            unpacked[i * (end - b) + j - b].unpack(block);
                        }
                    }
                    for (int t = 0; t < count; t += tile_tokens)
                        dot_tile<Format, K>(unpacked, t < whole ? own + t * row_bytes : padded, extra + t, b,
                                            end, &y[t][0][0] + p, chunk);
                }
            for (int g = 0; g < chunk / Group && panel + g * Group < panel_end; ++g)
                for (int t = 0; t < count; ++t)
                    epilogue(panel + g * Group, first + t, y[t][g]);
        }
    }
}

} // namespace ingot_host
