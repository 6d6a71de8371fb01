// Embedding lookup: rows of a packed matrix (formats/*.h), by token id, to f32.
#pragma once

#include "matmul.h"
#include "runtime/host_abi.h"
#include "share.h"

namespace ingot_host {

// K floats of row `id`. The runtime has checked that 0 <= id < rows before the step started.
template <class Format, int K>
inline void embed_row(const u8* w, i32 id, float* out) {
    dequant_row<Format, K>(w, id, out);
}

// out: f32 [tokens][K], row t that of ids[t]; the tokens are shared among the team's threads.
template <class Format, int K>
inline void embed(const Call* c, const u8* w, const i32* ids, int tokens, float* out) {
    const Share mine = share(tokens, int(c->thread), int(c->threads));
    for (int t = mine.begin; t < mine.end; ++t)
        embed_row<Format, K>(w, ids[t], out + u64(u32(t)) * K);
}

} // namespace ingot_host
