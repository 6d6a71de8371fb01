// Weights that are read once, from memory to registers. A core's own prefetchers stop at 4 KiB pages and take
// a few lines to start, and a block's arithmetic is long enough to keep the out-of-order window from reaching
// the next lines by itself; so every block asks for what comes a good distance later. What a thread reads of
// a product is contiguous, and behind its end the stream goes on with what the thread reads next, whichever
// kernel that is: memory has work while the threads meet.
#pragma once

#include "simd.h"

namespace ingot_host {

class Stream {
  public:
    // What is read is [begin, end); `next`: where the reading goes on behind it, null if nothing follows.
    Stream(const u8* begin, const u8* end, const u8* next) : end_(end) {
        // Four times a core's latency times its bandwidth: it also bridges the gap between two kernels. From
        // 8 to 16 KiB a token gains 8%, 24 KiB gain nothing more. A shorter share is fetched ahead as a
        // whole.
        constexpr long most = 16384;
        distance_ = end - begin < most ? end - begin : most;
        shift_ = (next != nullptr ? next : end - distance_) - end;
    }

    // Asks for as many bytes as are read at `at` now.
    template <int Bytes>
    void prefetch(const u8* at) const {
        const u8* target = at + distance_;
        target += target < end_ ? 0 : shift_;
#pragma unroll
        for (int i = 0; i < Bytes; i += 64)
            __builtin_prefetch(target + i, 0, 3);
    }

  private:
    const u8* end_;
    long distance_, shift_;
};

} // namespace ingot_host
