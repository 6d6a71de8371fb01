// How the host device calls a compiled kernel. Freestanding C++, because the text of this header is also part
// of every host kernel's source (kernels_templates); a change here must raise `abi_version`.
#pragma once

#include <stdint.h>

namespace ingot_host {

inline constexpr uint32_t abi_version = 2;

// The threads that run one kernel together. `threads` never changes while a session lives.
struct Team {
    alignas(64) uint32_t arrived; // threads that have reached the barrier in this phase
    alignas(64) uint32_t phase;   // counts completed barriers; waiting threads watch it
    uint32_t threads;
    void (*relax)(); // called after a long wait in vain: gives the core away (never null)
};

// Everything that a kernel receives. Every thread of the team calls the kernel once with its own `thread`.
struct Call {
    void* const* operand; // the launch's operands, in the order that the plan lists them
    const int32_t* dims;  // the current value of each symbol of the graph, in the order of declaration
    Team* team;
    uint32_t thread; // 0 <= thread < threads
    uint32_t threads;
    // Where the weights begin that this thread will stream in a launch after this one: the end of a stream
    // prefetches them. Null if there are none.
    const void* next;
};

// Every code object exports one such function.
using Kernel = void (*)(const Call*);

// Waits until every thread of the team has called it as often as the caller. Everything written before it by
// any thread is visible after it to all of them.
inline void barrier(Team* team) {
    const uint32_t threads = team->threads;
    if (threads == 1) return;
    const uint32_t phase = __atomic_load_n(&team->phase, __ATOMIC_RELAXED);
    if (__atomic_add_fetch(&team->arrived, 1, __ATOMIC_ACQ_REL) == threads) {
        __atomic_store_n(&team->arrived, 0, __ATOMIC_RELAXED);
        __atomic_store_n(&team->phase, phase + 1, __ATOMIC_RELEASE);
        return;
    }
    // About 20 µs of spinning; a step's kernels are shorter than that, a descheduled peer's absence is
    // longer.
    for (uint32_t spins = 0; __atomic_load_n(&team->phase, __ATOMIC_ACQUIRE) == phase; ++spins) {
        __builtin_ia32_pause();
        if (spins >= 4096) team->relax();
    }
}

} // namespace ingot_host
