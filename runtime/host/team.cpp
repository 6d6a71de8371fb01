#include "runtime/host/team.h"

#include "runtime/error.h"

#include <chrono>
#include <string>
#include <system_error>

#include <fmt/format.h>
#include <pthread.h>

namespace ingot::runtime {
namespace {

void give_core_away() {
    ::sched_yield();
}

cpu_set_t processors_of(const Core& core) {
    cpu_set_t set;
    CPU_ZERO(&set);
    for (const unsigned p : core.processors) {
        if (p < CPU_SETSIZE) CPU_SET(p, &set);
    }
    return set;
}

} // namespace

ThreadTeam::ThreadTeam(std::vector<Core> cores, std::uint32_t spin_microseconds)
    : size_(static_cast<unsigned>(cores.size())), spin_microseconds_(spin_microseconds),
      cores_(std::move(cores)) {
    shared_.threads = size_;
    shared_.relax = give_core_away;
    first_core_ = processors_of(cores_.at(0));
    threads_.reserve(size_ - 1);
    try {
        for (unsigned t = 1; t < size_; ++t)
            threads_.emplace_back([this, t] { serve(t); });
    } catch (const std::system_error& error) {
        // Those that run wait for work and not at a barrier, so they can be stopped.
        stop();
        throw Error(Code::out_of_memory, "host",
                    fmt::format("can't start {} threads: {}", size_, error.what()));
    }
}

ThreadTeam::~ThreadTeam() {
    stop();
}

void ThreadTeam::stop() {
    stopping_ = true;
    generation_.fetch_add(1);
    generation_.notify_all();
    for (std::thread& thread : threads_)
        thread.join();
    threads_.clear();
}

void ThreadTeam::run(Work work, void* context) {
    if (size_ > 1) {
        step_onto_own_core();
        work_ = work;
        context_ = context;
        generation_.fetch_add(1);
        // Sequentially consistent on both sides: either this sees the sleeper or the sleeper sees the
        // generation.
        if (sleepers_.load() != 0) generation_.notify_all();
    }
    work(context, 0);
    ingot_host::barrier(&shared_);
}

void ThreadTeam::serve(unsigned thread) {
    ::pthread_setname_np(::pthread_self(), fmt::format("ingot-{}", thread).c_str());
    const cpu_set_t set = processors_of(cores_[thread]);
    if (CPU_COUNT(&set) > 0) ::pthread_setaffinity_np(::pthread_self(), sizeof set, &set);
    for (std::uint32_t seen = 0;; ++seen) {
        wait_for_work(seen);
        if (stopping_) return;
        work_(context_, thread);
        ingot_host::barrier(&shared_);
    }
}

// Returns when the generation is no longer `seen`.
void ThreadTeam::wait_for_work(std::uint32_t seen) {
    const auto deadline = std::chrono::steady_clock::now() + std::chrono::microseconds(spin_microseconds_);
    do {
        for (int i = 0; i < 128; ++i) {
            if (generation_.load(std::memory_order_acquire) != seen) return;
            __builtin_ia32_pause();
        }
    } while (std::chrono::steady_clock::now() < deadline);
    sleepers_.fetch_add(1);
    while (generation_.load() == seen)
        generation_.wait(seen);
    sleepers_.fetch_sub(1);
}

// The caller's thread is not ours to pin. But where it sits on the core of one of the others, both would take
// turns until the system notices, so it is sent to its own core once and is free again.
void ThreadTeam::step_onto_own_core() {
    const int here = ::sched_getcpu();
    if (here < 0 || CPU_COUNT(&first_core_) == 0 || CPU_ISSET(static_cast<unsigned>(here), &first_core_))
        return;
    cpu_set_t before;
    if (::sched_getaffinity(0, sizeof before, &before) != 0) return;
    if (::sched_setaffinity(0, sizeof first_core_, &first_core_) == 0)
        ::sched_setaffinity(0, sizeof before, &before);
}

} // namespace ingot::runtime
