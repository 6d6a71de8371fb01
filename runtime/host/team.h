// The threads that run kernels together.
#pragma once

#include "runtime/host/topology.h"
#include "runtime/host_abi.h"

#include <atomic>
#include <cstdint>
#include <thread>
#include <vector>

#include <sched.h>

namespace ingot::runtime {

// One thread a core, pinned; whoever calls run() is thread 0 and does its share. Between calls the others
// watch for work for a while, because the next token's is near, and then sleep.
class ThreadTeam {
  public:
    // `cores` has one entry a thread; a thread with an empty one is not pinned. Throws Error{out_of_memory}
    // where the system starts no more threads.
    ThreadTeam(std::vector<Core> cores, std::uint32_t spin_microseconds);
    ThreadTeam(const ThreadTeam&) = delete;
    ThreadTeam& operator=(const ThreadTeam&) = delete;
    ~ThreadTeam();

    unsigned size() const { return size_; }
    ingot_host::Team& shared() { return shared_; }

    // Calls work(context, t) once on every thread t and returns when all have returned. From one thread at a
    // time.
    using Work = void (*)(void* context, unsigned thread);
    void run(Work work, void* context);

  private:
    void serve(unsigned thread);
    void wait_for_work(std::uint32_t seen);
    void step_onto_own_core();
    void stop();

    ingot_host::Team shared_ = {};
    unsigned size_ = 1;
    std::uint32_t spin_microseconds_ = 0;
    std::vector<Core> cores_;
    cpu_set_t first_core_ = {}; // processors of thread 0; empty: anywhere
    // Written by run() before `generation_`, read by the others after it.
    Work work_ = nullptr;
    void* context_ = nullptr;
    bool stopping_ = false;
    alignas(64) std::atomic<std::uint32_t> generation_ = 0; // counts calls of run()
    alignas(64) std::atomic<std::uint32_t> sleepers_ = 0;
    std::vector<std::thread> threads_;
};

} // namespace ingot::runtime
