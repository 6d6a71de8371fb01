// An interposer is a library of ours with the name and the functions of a GPU's driver, which passes each
// call on to the real one. Found first by way of LD_LIBRARY_PATH, it lets a process that knows nothing of it
// see any call fail, on a real card too, and tells afterwards whether everything was given back. What it does
// comes in the environment:
//   INGOT_INTERPOSER_DRIVER   path of the real library
//   INGOT_INTERPOSER          faults, as a stand-in has them (control.h)
//   INGOT_INTERPOSER_REPORT   file that the report goes to when the process ends: a ledger's line, then a
//   line
//                             THREAD CALL for each call in their order, threads counted from 0
// Of calls that are to fail, those that wait or give something back are passed on nevertheless, so that
// nothing of the real driver stays busy or stays behind; the others are not. Calls of driver_calls.def have
// their row's name, and those of one family: launch, context_set, and in cuda_interposer.cpp and
// hip_interposer.cpp.
#pragma once

#include "tests/standin/ledger.h"

#include <cstddef>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

namespace ingot::standin {

class Interposer {
  public:
    // Loads the real library, or ends the process.
    Interposer();

    // False for a text that it does not understand.
    bool configure(std::string_view text);
    std::string report() const;

    // A function of the real library; null: it has none of that name.
    void* find(const char* function) const;

    // As Ledger's, from any thread.
    int enter(const char* call);
    void add(const char* kind, const void* handle);
    void remove(const char* kind, const void* handle);
    bool kernel_faults();

    struct Driver {
#define CALL(name, parameters, nvidia, amd) int(*name) parameters = nullptr;
#include "runtime/gpu/driver_calls.def"
#undef CALL
    };
    const Driver& driver() const { return driver_; }

  private:
    struct Entered {
        std::size_t thread;
        const char* call;
    };
    void* library_ = nullptr;
    Driver driver_;
    mutable std::mutex mutex_;
    Ledger ledger_;
    std::vector<std::thread::id> threads_;
    std::vector<Entered> entered_;
};

Interposer& interposer();

template <class F>
F* real(const char* function) {
    return reinterpret_cast<F*>(interposer().find(function));
}

// Passes a call on unless it is to fail.
template <class... P, class... A>
int pass_on(const char* call, int (*function)(P...), A... arguments) {
    const int error = interposer().enter(call);
    return error != 0 ? error : function(arguments...);
}

// One that is passed on even if it is to fail.
template <class... P, class... A>
int pass_on_always(const char* call, int (*function)(P...), A... arguments) {
    const int error = interposer().enter(call), result = function(arguments...);
    return error != 0 ? error : result;
}

// One that gives out a handle of this kind.
template <class... P, class... A>
int take(const char* call, const char* kind, int (*function)(P...), void** handle, A... arguments) {
    const int result = pass_on(call, function, handle, arguments...);
    if (result == 0) interposer().add(kind, *handle);
    return result;
}

// One that gives it back.
template <class... P>
int give_back(const char* call, const char* kind, int (*function)(P...), void* handle) {
    interposer().remove(kind, handle);
    return pass_on_always(call, function, handle);
}

// A launch, which is `function`'s to pass on. The kernel that is to fault is given null as its first
// argument, a pointer, so that the card itself finds the fault.
template <class F>
int pass_on_launch(void** arguments, const F& function) {
    if (const int error = interposer().enter("launch")) return error;
    if (!interposer().kernel_faults()) return function();
    void*& first = *static_cast<void**>(arguments[0]);
    void* const given = std::exchange(first, nullptr);
    const int result = function();
    first = given;
    return result;
}

} // namespace ingot::standin
