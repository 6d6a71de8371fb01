// Matrix products of packed weights [N, K] (formats/*.h) and rows of activations [tokens, K] (activation.h):
//
//   matmul<Format, N, K, Group>(w, activations, tokens, panel_begin, panel_end, next, epilogue);
//
// Format       Q4_0 Q4_1 Q5_0 Q5_1 Q8_0 F32 F16 BF16; a float format takes F32Activations only.
// w            the first panel of the whole matrix, 64-byte aligned; a panel is 16 rows, N is padded to
// panels. activations  Q8Activations{rows}: the integer product; F32Activations{rows}: exact to f32 rounding.
// tokens       an int, or One{} where it is one at compile time: then only that case is generated.
// panels       [panel_begin, panel_end) of panels<N>, both multiples of Group; see share() in share.h.
// next         what the thread reads after this, for prefetching (stream.h); may be null.
// epilogue     epilogue(int first_panel, int token, const f32x16 (&y)[Group]), called once for each token and
// each
//              group of Group (1, 2 or 4) neighbouring panels; y[i] is rows 16 * (first_panel + i) and on.
//
//   dequant_row<Format, K>(w, row, out): K floats of one row of a packed matrix, for embedding lookups.
//
// Nothing is allocated; the many-token case keeps up to a megabyte of scratch on the stack.
#pragma once

#include "gemm_float.h"
#include "gemm_int.h"
#include "share.h"

namespace ingot_host {

struct One {};

template <int N>
inline constexpr int panels = (N + lanes - 1) / lanes;

template <class Format, int N, int K, int Group, class Epilogue>
inline void matmul(const u8* w, Q8Activations x, One, int panel_begin, int panel_end, const u8* next,
                   Epilogue&& epilogue) {
    multiply_one<Format, K, Group>(w, x.rows, panel_begin, panel_end, next, epilogue);
}

template <class Format, int N, int K, int Group, class Epilogue>
inline void matmul(const u8* w, Q8Activations x, int tokens, int panel_begin, int panel_end, const u8* next,
                   Epilogue&& epilogue) {
    if (tokens == 1)
        multiply_one<Format, K, Group>(w, x.rows, panel_begin, panel_end, next, epilogue);
    else
        multiply_many<Format, K, Group>(w, x.rows, tokens, panel_begin, panel_end, next, epilogue);
}

template <class Format, int N, int K, int Group, class Epilogue>
inline void matmul(const u8* w, F32Activations x, One, int panel_begin, int panel_end, const u8*,
                   Epilogue&& epilogue) {
    multiply_float<Format, K, Group>(w, x.rows, 1, panel_begin, panel_end, epilogue);
}

template <class Format, int N, int K, int Group, class Epilogue>
inline void matmul(const u8* w, F32Activations x, int tokens, int panel_begin, int panel_end, const u8*,
                   Epilogue&& epilogue) {
    multiply_float<Format, K, Group>(w, x.rows, tokens, panel_begin, panel_end, epilogue);
}

template <class Format, int K>
inline void dequant_row(const u8* w, int row, float* out) {
    if constexpr (Format::is_block)
        dequantize_block_row<Format, K>(w, row, out);
    else
        convert_float_row<Format, K>(w, row, out);
}

} // namespace ingot_host
