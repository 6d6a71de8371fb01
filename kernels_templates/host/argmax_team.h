// The largest logit of a row when every thread has looked at a part of it, without memory beside the result.
#pragma once

#include "head.h"

namespace ingot_host {

inline constexpr i32 no_id = 0x7fffffff; // of a thread that saw no logit

// `mine[row]` is this thread's best; every thread calls this once all its logits are in memory. ids[row] gets
// the best of all: it first holds the choice of thread 0, then each other thread replaces what it finds if
// its own is better, comparing by the logits themselves. Writes are atomic, so the order doesn't matter.
template <int V>
inline void argmax_team(const Call* c, const Best* mine, int rows, const float* logits, i32* ids) {
    if (c->thread == 0)
        for (int row = 0; row < rows; ++row)
            __atomic_store_n(ids + row, mine[row].id, __ATOMIC_RELAXED);
    barrier(c->team);
    if (c->thread == 0) return;
    for (int row = 0; row < rows; ++row) {
        if (mine[row].id == no_id) continue;
        i32 found = __atomic_load_n(ids + row, __ATOMIC_RELAXED);
        for (;;) {
            if (found == -1) break;
            if (found != no_id &&
                better({logits[u64(u32(row)) * V + u32(found)], found}, mine[row]).id == found)
                break;
            if (__atomic_compare_exchange_n(ids + row, &found, mine[row].id, false, __ATOMIC_RELAXED,
                                            __ATOMIC_RELAXED))
                break;
        }
    }
}

} // namespace ingot_host
