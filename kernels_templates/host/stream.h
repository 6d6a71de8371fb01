// Streaming weights that are read once. A core's own prefetchers stop at 4 KiB pages and take a few lines to
// start, and a block's arithmetic is long enough to keep the out-of-order window from reaching the next lines
// by itself.
#pragma once

#include "formats/block.h"

namespace ingot_host {

#ifndef PFD
#define PFD 8192
#endif
// Bytes that are under way ahead of the arithmetic. Latency times bandwidth of a core is about 3 KiB.
inline constexpr int prefetch_distance = PFD;

// Asks for what follows block b of a panel by about the distance, where Panels neighbouring panels are read
// side by side: later in this panel, or else in the one that this stream reads next.
template <class Format, int K, int Panels>
inline void prefetch_ahead(const u8* panel, int b) {
    constexpr int blocks = K / 32;
    constexpr int wanted = prefetch_distance / (Format::block_bytes * Panels);
    constexpr int ahead = wanted < blocks ? wanted : blocks;
    const bool here = b + ahead < blocks;
    const u8* target = panel + (here ? 0 : Panels * Format::template panel_bytes<K>());
    const int block = here ? b + ahead : b + ahead - blocks;
#pragma unroll
    for (int i = 0; i < Format::block_bytes; i += 64)
        __builtin_prefetch(target + block * Format::block_bytes + i, 0, 3);
    if (b % 2 == 0) {
        __builtin_prefetch(target + Format::template scale_offset<K>() + 32 * block, 0, 3);
        if constexpr (Format::has_min)
            __builtin_prefetch(target + Format::template min_offset<K>() + 32 * block, 0, 3);
    }
}

// Asks for the first bytes of what the next kernel will read, where nothing but a barrier is left to do.
inline void prefetch_range(const u8* p, int bytes) {
    for (int i = 0; i < bytes; i += 64)
        __builtin_prefetch(p + i, 0, 3);
}

} // namespace ingot_host
