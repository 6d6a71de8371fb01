// What tests ask of a stand-in for a GPU's driver: a shared library of ours with the driver's functions, for
// machines without a GPU. Its device memory is host memory, so copies are real. Work on a stream is done as
// late as the driver may do it: when somebody waits. A module is a shared object of this machine, whose
// kernels run, or a GPU's code object, whose kernels are known by name and do nothing.
//
// What it is to be and where it fails is one text, words that are separated by blanks:
//   arch=gfx1030 named=gfx1100 devices=0 version=40300000 wave=64 threads=256 shared=1024 memory=1000000
//   kernel_threads=64 kernel_shared=512      what kernels' attributes say
//   CALL@N or CALL@N=CODE   the N-th call of that row of driver_calls.def fails; of `any`, the N-th of all.
//                           Without a code: memory runs out where it is asked for, and other calls fail with
//                           an unknown error. What a call gives back is given back nevertheless
//   fault@N                 the N-th kernel that runs faults; this shows at the next wait, and every call
//                           fails from then on
//   lost@N or lost@N=CODE   from the N-th call on, the device is gone
// A kernel whose first pointer is null faults too.
// In a process of its own, the text comes in the environment: INGOT_STANDIN; and what it counted is written
// to the file INGOT_STANDIN_REPORT when the process ends.
#pragma once

#include <dlfcn.h>

#include <stdexcept>
#include <string>

namespace ingot::standin {

class Control {
  public:
    // `path` is the library's, as the loader takes it; it is the same library that the code under test loads.
    explicit Control(const std::string& path) : library_(::dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL)) {
        if (library_ == nullptr) throw std::runtime_error(::dlerror());
        configure("");
    }
    ~Control() { ::dlclose(library_); }
    Control(const Control&) = delete;
    Control& operator=(const Control&) = delete;

    // Begins anew: all counts are 0.
    void configure(const std::string& text) const {
        if (find<bool (*)(const char*)>("standin_configure")(text.c_str())) return;
        throw std::invalid_argument("no such setting of the stand-in: " + text);
    }
    // "calls": of all functions; "CALL": of one; "kernels": that ran; "memory", "pinned", "stream", "event",
    // "module", "graph", "executable", "context": such handles that are not given back; "live": all of them;
    // "refused": calls that ended in an error, without those that give something back;
    // "misuse": calls with values that a driver forbids, among them handles that are not there any more.
    long count(const char* what) const { return find<long (*)(const char*)>("standin_count")(what); }
    // The first misuse in words; empty: none.
    std::string misuse() const { return find<const char* (*)()>("standin_misuse")(); }

  private:
    template <class F>
    F find(const char* name) const {
        void* const found = ::dlsym(library_, name);
        if (found == nullptr) throw std::runtime_error(::dlerror());
        return reinterpret_cast<F>(found);
    }
    void* library_;
};

} // namespace ingot::standin
