#include "tools/bench/machine_limits.h"

#include <algorithm>
#include <barrier>
#include <chrono>
#include <cstdint>
#include <cstring>
#include <functional>
#include <memory>
#include <thread>
#include <vector>

#include <immintrin.h>

namespace ingot::tools {
namespace {

using Clock = std::chrono::steady_clock;

constexpr int rounds = 7;                        // the fastest counts
constexpr size_t read_bytes = size_t{384} << 20; // over all threads
constexpr int64_t dot_steps = 2'000'000;

// Keeps a result from being optimised away.
template <class T>
void keep(const T& value) {
    asm volatile("" : : "m"(value) : "memory");
}

// Seconds of the fastest round of `work(thread)`, all threads starting at once.
double fastest_round(unsigned threads, const std::function<void(unsigned)>& work) {
    double fastest = 1e30;
    Clock::time_point start;
    std::barrier begin(threads, [&]() noexcept { start = Clock::now(); });
    std::barrier end(threads, [&]() noexcept {
        fastest = std::min(fastest, std::chrono::duration<double>(Clock::now() - start).count());
    });
    const auto run = [&](unsigned thread) {
        for (int round = 0; round < rounds; ++round) {
            begin.arrive_and_wait();
            work(thread);
            end.arrive_and_wait();
        }
    };
    {
        std::vector<std::jthread> others;
        for (unsigned t = 1; t < threads; ++t)
            others.emplace_back(run, t);
        run(0);
    }
    return fastest;
}

__attribute__((target("avx2"))) void read_all(const std::byte* data, size_t bytes) {
    __m256i sum[4] = {};
    for (size_t at = 0; at + 128 <= bytes; at += 128)
        for (size_t i = 0; i < 4; ++i)
            sum[i] = _mm256_xor_si256(
                sum[i], _mm256_load_si256(reinterpret_cast<const __m256i*>(data + at + 32 * i)));
    keep(sum);
}

// Ten independent chains hide the latency; the operands stay in registers.
__attribute__((target("avx512vnni,avx512f"))) void dot_512() {
    __m512i sum[10] = {};
    const __m512i a = _mm512_set1_epi8(3);
    __m512i b = _mm512_set1_epi8(5);
    for (int64_t i = 0; i < dot_steps; ++i) {
#pragma GCC unroll 10
        for (auto& s : sum) {
            asm volatile("" : "+v"(b)); // else all ten chains would be one
            s = _mm512_dpbusd_epi32(s, a, b);
        }
    }
    keep(sum);
}

__attribute__((target("avx2"))) void dot_256() {
    __m256i sum[10] = {};
    const __m256i a = _mm256_set1_epi8(3), ones = _mm256_set1_epi16(1);
    __m256i b = _mm256_set1_epi8(5);
    for (int64_t i = 0; i < dot_steps; ++i) {
#pragma GCC unroll 10
        for (auto& s : sum) {
            asm volatile("" : "+x"(b)); // likewise
            s = _mm256_add_epi32(s, _mm256_madd_epi16(_mm256_maddubs_epi16(a, b), ones));
        }
    }
    keep(sum);
}

} // namespace

MachineLimits measure_machine(unsigned threads, const std::string& target) {
    const size_t share = read_bytes / threads / 4096 * 4096;
    // Each thread touches its share first, so that it lies on that thread's memory node.
    struct Free {
        void operator()(std::byte* p) const { std::free(p); }
    };
    std::vector<std::unique_ptr<std::byte, Free>> data(threads);
    {
        std::vector<std::jthread> makers;
        for (unsigned t = 0; t < threads; ++t)
            makers.emplace_back([&data, t, share] {
                data[t].reset(static_cast<std::byte*>(std::aligned_alloc(4096, share)));
                if (data[t]) std::memset(data[t].get(), static_cast<int>(t) + 1, share);
            });
    }
    MachineLimits limits;
    const bool have_memory = std::ranges::all_of(data, [](const auto& d) { return d != nullptr; });
    if (have_memory) {
        const double seconds = fastest_round(threads, [&](unsigned t) { read_all(data[t].get(), share); });
        limits.read_bytes_per_second = static_cast<double>(share) * threads / seconds;
    }
    const bool wide = target == "x86-64-v4";
    limits.int8_instructions = wide ? "vpdpbusd, 512 bits" : "vpmaddubsw + vpmaddwd + vpaddd, 256 bits";
    const double seconds = fastest_round(threads, [&](unsigned) { wide ? dot_512() : dot_256(); });
    const double products = wide ? 64 : 32; // of one instruction or sequence
    limits.int8_ops_per_second = 2 * products * 10 * static_cast<double>(dot_steps) * threads / seconds;
    return limits;
}

} // namespace ingot::tools
