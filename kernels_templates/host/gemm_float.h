// Weights of any format by f32 activations, to f32 rounding.
#pragma once

#include "activation.h"
#include "formats/block.h"
#include "formats/float_format.h"

namespace ingot_host {

// Columns of a panel that are converted at once.
inline constexpr int float_columns = 32;

template <class Format>
inline void load_columns(const u8* panel, int k0, int count, f32x16 (&columns)[float_columns]) {
    if constexpr (Format::is_block) {
        dequantize_columns<Format>(panel, k0, columns);
    } else {
        for (int k = 0; k < count; ++k)
            columns[k] = Format::column(panel + (k0 + k) * lanes * Format::element_bytes);
    }
}

template <class Format, int K, int Group, class Epilogue>
inline void multiply_float(const u8* w, const float* rows, int tokens, int panel_begin, int panel_end,
                           Epilogue& epilogue) {
    constexpr int panel_bytes = Format::template panel_bytes<K>();
    constexpr int pass_tokens = 64;
    for (int pass = 0; pass < tokens; pass += pass_tokens) {
        const int count = tokens - pass < pass_tokens ? tokens - pass : pass_tokens;
        for (int panel = panel_begin; panel < panel_end; panel += Group) {
            f32x16 y[pass_tokens][Group];
            for (int t = 0; t < count; ++t)
                for (int i = 0; i < Group; ++i)
                    y[t][i] = f32x16{};
            for (int i = 0; i < Group; ++i)
                for (int k0 = 0; k0 < K; k0 += float_columns) {
                    const int width = K - k0 < float_columns ? K - k0 : float_columns;
                    f32x16 columns[float_columns];
                    load_columns<Format>(w + u64(panel + i) * u64(panel_bytes), k0, width, columns);
                    for (int t = 0; t < count; ++t) {
                        const float* x = rows + u64(pass + t) * u64(K) + k0;
                        f32x16 even{}, odd{};
                        int k = 0;
                        for (; k + 2 <= width; k += 2) {
                            even += columns[k] * x[k];
                            odd += columns[k + 1] * x[k + 1];
                        }
                        if (k < width) even += columns[k] * x[k];
                        y[t][i] += even + odd;
                    }
                }
            for (int t = 0; t < count; ++t)
                epilogue(panel, pass + t, y[t]);
        }
    }
}

} // namespace ingot_host
