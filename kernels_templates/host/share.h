// Static division of work: thread t of n takes a contiguous range, and ranges differ by at most one unit.
#pragma once

namespace ingot_host {

struct Share {
    int begin, end;
};

inline Share share(int units, int thread, int threads) {
    const int base = units / threads, extra = units % threads;
    const int begin = thread * base + (thread < extra ? thread : extra);
    return {begin, begin + base + (thread < extra ? 1 : 0)};
}

} // namespace ingot_host
