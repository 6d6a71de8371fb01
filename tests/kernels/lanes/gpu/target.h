// Stands in for kernels_templates/gpu/target.h: a workgroup of 128 threads of the host, which meet where
// lanes do. So a template for GPUs runs where there is none, and ThreadSanitizer sees what it forgets to wait
// for. As AMD's the target has no f16 below the normal numbers (CDNA 2), and as few loads ahead as any.
#pragma once

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <cstdlib>
#include <cstring>
#include <functional>
#include <memory>
#include <pthread.h>
#include <thread>
#include <vector>

#include "gpu/types.h"
#include "ir/float16.h"

#define INGOT_DEVICE inline
#define INGOT_MEMBER inline

namespace ingot_gpu {

inline constexpr int lanes = 32;
inline constexpr int lane_loads = 8;
inline constexpr int offset_reach = 2048;

class Meeting {
  public:
    explicit Meeting(unsigned threads) { pthread_barrier_init(&barrier_, nullptr, threads); }
    ~Meeting() { pthread_barrier_destroy(&barrier_); }
    Meeting(const Meeting&) = delete;
    Meeting& operator=(const Meeting&) = delete;
    void wait() { pthread_barrier_wait(&barrier_); }

  private:
    pthread_barrier_t barrier_;
};

struct Workgroup {
    static constexpr int threads = 128;

    alignas(16) std::array<u8, 65536> shared;
    std::array<u64, threads> exchanged;
    std::array<std::vector<u64>, threads> uniform; // what each lane called so, in order
    Meeting all{threads};
    std::array<Meeting, 4> warps{Meeting(32), Meeting(32), Meeting(32), Meeting(32)};
};
struct Place {
    Workgroup* workgroup;
    int thread, x, y;
    Meeting& warp() const { return workgroup->warps[static_cast<size_t>(thread / 32)]; }
};
inline thread_local Place place;

// Runs `kernel` for x * y workgroups, one after the other. What shared memory holds before is no number.
inline void launch(int x, int y, const std::function<void()>& kernel) {
    const auto workgroup = std::make_unique<Workgroup>();
    std::vector<std::thread> threads;
    for (int t = 0; t < Workgroup::threads; ++t)
        threads.emplace_back([&workgroup, &kernel, x, y, t] {
            for (int i = 0; i < x * y; ++i) {
                place = {workgroup.get(), t, i % x, i / x};
                const size_t part = workgroup->shared.size() / Workgroup::threads;
                std::fill_n(workgroup->shared.begin() + static_cast<ptrdiff_t>(t * part), part, u8{0xff});
                workgroup->all.wait();
                kernel();
                workgroup->all.wait();
                const auto lane = [&](int n) -> auto& { return workgroup->uniform[static_cast<size_t>(n)]; };
                if (lane(t) != lane(t / 32 * 32)) std::abort(); // no result to compare with
                workgroup->all.wait();
                lane(t).clear();
            }
        });
    for (std::thread& t : threads)
        t.join();
}

INGOT_DEVICE int thread_index() {
    return place.thread;
}
INGOT_DEVICE int group_index() {
    return place.x;
}
INGOT_DEVICE int group_index_y() {
    return place.y;
}
INGOT_DEVICE u8* shared_memory() {
    return place.workgroup->shared.data();
}
INGOT_DEVICE int group_count() {
    return 1;
}
INGOT_DEVICE void barrier() {
    place.workgroup->all.wait();
}
template <int N>
void part_barrier() {
    barrier();
}
INGOT_DEVICE void wave_barrier() {
    place.warp().wait();
}
INGOT_DEVICE void keep_order() {}
INGOT_DEVICE void fence() {}

INGOT_DEVICE u32 bits_of(f32 x) {
    return std::bit_cast<u32>(x);
}
INGOT_DEVICE f32 float_of(u32 x) {
    return std::bit_cast<f32>(x);
}
template <class T>
u64 word_of(T v) {
    u64 word = 0;
    std::memcpy(&word, &v, sizeof v);
    return word;
}
// What all 32 lanes have.
template <class T>
std::array<T, 32> exchange(T v) {
    auto& all = place.workgroup->exchanged;
    all[static_cast<size_t>(place.thread)] = word_of(v);
    place.warp().wait();
    std::array<T, 32> got;
    for (size_t i = 0; i < got.size(); ++i)
        std::memcpy(&got[i], &all[static_cast<size_t>(place.thread / 32 * 32) + i], sizeof v);
    place.warp().wait();
    return got;
}
template <class T>
T shuffle_xor(T v, int mask) {
    return exchange(v)[static_cast<size_t>(place.thread % 32 ^ mask)];
}
template <class T, class F>
T fold_32(T v, F f) {
    std::array<T, 32> all = exchange(v);
    for (size_t mask = 1; mask < 32; mask *= 2) {
        const std::array<T, 32> before = all;
        for (size_t i = 0; i < 32; ++i)
            all[i] = f(before[i], before[i ^ mask]);
    }
    return all[static_cast<size_t>(place.thread % 32)];
}
INGOT_DEVICE u32 max_of_32(u32 v) {
    return fold_32(v, [](u32 a, u32 b) { return a > b ? a : b; });
}
INGOT_DEVICE i32 sum_of_32(i32 v) {
    return fold_32(v, [](i32 a, i32 b) { return a + b; });
}
// Lanes don't meet here, so they are compared when the workgroup ends.
template <class T>
T uniform(T v) {
    place.workgroup->uniform[static_cast<size_t>(place.thread)].push_back(word_of(v));
    return v;
}
template <class T>
T uniform_32(T v) {
    return uniform(v);
}
INGOT_DEVICE const u8* scalar(const u8* p) {
    return uniform(p);
}

INGOT_DEVICE u32 atomic_add(u32* p, u32 v) {
    const u32 before = *p;
    *p += v;
    return before;
}
INGOT_DEVICE u64 atomic_max(u64* p, u64 v) {
    const u64 before = *p;
    *p = std::max(before, v);
    return before;
}
template <class T>
T load_fresh(const T* p) {
    return *p;
}

INGOT_DEVICE f32 f16_to_f32(u16 h) {
    return ingot::ir::f16_to_f32(h);
}
INGOT_DEVICE u16 f32_to_f16(f32 f) {
    return ingot::ir::f32_to_f16(f);
}
INGOT_DEVICE f32 dot2(f32 sum, u32 a, u32 b) {
    const auto number = [](u32 h) { return (h & 0x7c00) == 0 ? 0.0f : f16_to_f32(u16(h)); };
    return sum + number(a & 0xffff) * number(b & 0xffff) + number(a >> 16) * number(b >> 16);
}
INGOT_DEVICE u32 low_halves(u32 a, u32 b) {
    return (a & 0xffff) | b << 16;
}
INGOT_DEVICE u32 high_halves(u32 a, u32 b) {
    return a >> 16 | (b & 0xffff0000);
}
INGOT_DEVICE f32 exp(f32 x) {
    return std::exp(x);
}
INGOT_DEVICE f32 tanh(f32 x) {
    return std::tanh(x);
}
INGOT_DEVICE f32 rsqrt(f32 x) {
    return 1.0f / std::sqrt(x);
}
INGOT_DEVICE f32 reciprocal(f32 x) {
    return 1.0f / x;
}
INGOT_DEVICE f32 abs(f32 x) {
    return std::fabs(x);
}
INGOT_DEVICE i32 round_to_int(f32 x) {
    return static_cast<i32>(std::nearbyint(x));
}
INGOT_DEVICE f32 max(f32 a, f32 b) {
    return std::fmax(a, b);
}

} // namespace ingot_gpu
