// Weights that are read once, from memory to registers. A core's own prefetchers stop at 4 KiB pages and take
// a few lines to start, and a block's arithmetic is long enough to keep the out-of-order window from reaching
// the next lines by itself; so every block asks for what comes `distance` later. What a thread reads of a
// product is contiguous, and behind its end the stream goes on with what the thread reads next, whichever
// kernel that is: memory has work while the threads meet.
#pragma once

#include "simd.h"

namespace ingot_host {

class Stream {
  public:
    // Of a core: its latency times its bandwidth is about 3 KiB, the rest bridges the gap between two
    // kernels.
    static constexpr int distance = 8192;

    // `next`: where the reading goes on behind `end`; null if nothing follows.
    Stream(const u8* end, const u8* next)
        : end_(end), shift_((next != nullptr ? next : end - distance) - end) {}

    // Asks for as many bytes as are read at `at` now.
    template <int Bytes>
    void prefetch(const u8* at) const {
        const u8* target = at + distance;
        target += target < end_ ? 0 : shift_;
#pragma unroll
        for (int i = 0; i < Bytes; i += 64)
            __builtin_prefetch(target + i, 0, 3);
    }

  private:
    const u8* end_;
    long shift_;
};

} // namespace ingot_host
