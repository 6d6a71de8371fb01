#include "tools/bench/machine_limits.h"

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <immintrin.h>
#include <memory>
#include <vector>

#include "runtime/host/cpu_features.h"
#include "runtime/host/host_memory.h"
#include "runtime/host/topology.h"
#include "runtime/host_abi.h"

namespace ingot::tools {

namespace {

using Clock = std::chrono::steady_clock;

// Work of all threads, timed from the moment when the last of them is awake.
struct Pass {
    ingot_host::Team* team = nullptr;
    const std::byte* data = nullptr;
    size_t bytes = 0; // of a thread
    double seconds = 0;
};

template <void (*Work)(const Pass&, unsigned)>
void timed(void* context, unsigned thread) {
    auto& pass = *static_cast<Pass*>(context);
    ingot_host::barrier(pass.team);
    const auto start = Clock::now();
    Work(pass, thread);
    ingot_host::barrier(pass.team);
    if (thread == 0) pass.seconds = std::chrono::duration<double>(Clock::now() - start).count();
}

// Every target of ours has AVX2.
__attribute__((target("avx2"))) void read_share(const Pass& pass, unsigned thread) {
    const std::byte* const begin = pass.data + pass.bytes * thread;
    constexpr size_t ahead = 4096; // a core's own prefetchers stop at the end of a page
    // Two sums, because one would be a chain of dependences as long as the loads take.
    __m256i low = _mm256_setzero_si256(), high = low;
    for (size_t at = 0; at + 64 <= pass.bytes; at += 64) {
        __builtin_prefetch(begin + at + ahead);
        low = _mm256_or_si256(low, _mm256_loadu_si256(reinterpret_cast<const __m256i*>(begin + at)));
        high = _mm256_or_si256(high, _mm256_loadu_si256(reinterpret_cast<const __m256i*>(begin + at + 32)));
    }
    __asm__ volatile("" : : "x"(low), "x"(high));
}

constexpr int64_t rounds = 1 << 19;

// A round is eight independent dot products, enough to hide the latency of each.
constexpr int64_t v3_operations = int64_t{8} * 64, v4_operations = int64_t{8} * 128;

#define EIGHT(LINE)                                                                                          \
    LINE("0")                                                                                                \
    LINE("1")                                                                                                \
    LINE("2")                                                                                                \
    LINE("3")                                                                                                \
    LINE("4")                                                                                                \
    LINE("5")                                                                                                \
    LINE("6")                                                                                                \
    LINE("7")

void multiply_v3(const Pass&, unsigned) {
    int64_t left = rounds;
#define DOT(n)                                                                                               \
    "vpmaddubsw %%ymm9, %%ymm10, %%ymm11\n\t"                                                                \
    "vpmaddwd %%ymm11, %%ymm8, %%ymm11\n\t"                                                                  \
    "vpaddd %%ymm11, %%ymm" n ", %%ymm" n "\n\t"
    __asm__ volatile("1:\n\t" EIGHT(DOT) "dec %0\n\t"
                                         "jnz 1b\n\t"
                                         "vzeroupper"
                     : "+r"(left)
                     :
                     : "cc", "xmm0", "xmm1", "xmm2", "xmm3", "xmm4", "xmm5", "xmm6", "xmm7", "xmm8", "xmm9",
                       "xmm10", "xmm11");
#undef DOT
}

void multiply_v4(const Pass&, unsigned) {
    int64_t left = rounds;
#define DOT(n) "vpdpbusd %%zmm9, %%zmm10, %%zmm" n "\n\t"
    __asm__ volatile("1:\n\t" EIGHT(DOT) "dec %0\n\t"
                                         "jnz 1b\n\t"
                                         "vzeroupper"
                     : "+r"(left)
                     :
                     : "cc", "xmm0", "xmm1", "xmm2", "xmm3", "xmm4", "xmm5", "xmm6", "xmm7", "xmm8", "xmm9",
                       "xmm10");
#undef DOT
}

// As the host device places them; more threads than cores are the system's to place.
std::vector<runtime::Core> some_cores(unsigned threads) {
    std::vector<runtime::Core> cores = runtime::discover_topology().cores;
    if (threads > cores.size()) cores.assign(threads, {});
    cores.resize(threads);
    return cores;
}

} // namespace

MachineProbe::MachineProbe(unsigned threads, std::string_view target, uint64_t bytes)
    : team_(some_cores(threads), 0),
      memory_(runtime::allocate_host_memory(runtime::Pool::weights, bytes,
                                            std::make_shared<runtime::HostAllocations>())),
      wide_(target == "x86-64-v4") {
    runtime::check_host_target(target, ingot_host::abi_version);
    // Pages that were never written are all the same one.
    std::memset(memory_->host_view(), 1, bytes);
}

double MachineProbe::read_bandwidth() {
    Pass pass{.team = &team_.shared(),
              .data = memory_->host_view(),
              .bytes = memory_->bytes() / team_.size() / 64 * 64};
    team_.run(timed<read_share>, &pass);
    return static_cast<double>(pass.bytes * team_.size()) / pass.seconds;
}

double MachineProbe::int8_rate() {
    Pass pass{.team = &team_.shared()};
    team_.run(wide_ ? timed<multiply_v4> : timed<multiply_v3>, &pass);
    return static_cast<double>(rounds * (wide_ ? v4_operations : v3_operations)) * team_.size() /
           pass.seconds;
}

std::string_view MachineProbe::int8_instructions() const {
    return wide_ ? "vpdpbusd, 512 bits" : "vpmaddubsw + vpmaddwd + vpaddd, 256 bits";
}

MachineLimits measure_machine(unsigned threads, const std::string& target, uint64_t bytes) {
    MachineProbe probe(threads, target, bytes);
    MachineLimits limits{.instructions = std::string(probe.int8_instructions())};
    const auto start = Clock::now();
    do {
        limits.read_bytes_per_second = std::max(limits.read_bytes_per_second, probe.read_bandwidth());
        limits.ops_per_second = std::max(limits.ops_per_second, probe.int8_rate());
    } while (Clock::now() - start < std::chrono::milliseconds(400));
    return limits;
}

} // namespace ingot::tools
