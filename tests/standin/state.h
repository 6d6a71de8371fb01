// What a stand-in is and counts (control.h).
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

namespace ingot::standin {

// Error numbers that both families have.
inline constexpr int invalid_value = 1, out_of_memory = 2, no_device = 100, invalid_image = 200,
                     not_found = 500, launch_failed = 719, unknown_error = 999;

struct Settings {
    std::string arch, named; // named: what the property struct says; empty: the same
    int devices = 1, version = 0, wave = 0;
    int threads = 1024, shared = 65536, kernel_threads = 1024, kernel_shared = 0;
    std::uint64_t memory = std::uint64_t{8} << 30;
};

struct CallFault {
    std::string call;
    long at = 0;
    int code = 0; // 0: what fits the call
};

// An operation of a stream: 0, or the error that it ends in.
using Operation = std::function<int()>;

struct Stream {
    std::vector<Operation> pending;
    bool capturing = false;
    std::vector<Operation> captured;
};
struct Event {
    Stream* stream = nullptr;
    bool done = true;
};
struct Graph {
    std::vector<Operation> operations;
};

class State {
  public:
    // False for a text that it does not understand.
    bool configure(std::string_view text);
    long count(std::string_view what) const;
    std::string report() const;

    // Begins a call: the error that it has to give back, or 0.
    int enter(const char* call);
    // Ends a call with an error, because a caller broke the driver's rules.
    int misused(const std::string& how);

    void add(const char* kind, const void* handle) { live_[handle] = kind; }
    bool is(const char* kind, const void* handle) const;
    // Counted as given back even where the device is lost. False: there is no such handle.
    bool remove(const char* kind, const void* handle);

    // Whether [at, at + bytes) lies within one piece of memory of this kind.
    bool holds(const char* kind, const void* at, std::size_t bytes) const;
    void add_memory(const char* kind, const void* at, std::size_t bytes);
    std::uint64_t memory_in_use() const { return in_use_; }

    // Puts work on a stream, or into what it captures.
    void put(Stream& stream, Operation work);
    // Does what is on a stream. The error of the first operation that has one; it stays for ever.
    int finish(Stream& stream);
    int finish_all();
    // Counts a kernel that runs; its fault, or 0.
    int run_kernel();

    Settings settings;
    std::string misuse;
    std::recursive_mutex mutex;

  private:
    std::vector<CallFault> faults_;
    long fault_at_ = 0, lost_at_ = 0;
    long kernels_ = 0, misuses_ = 0, refused_ = 0;
    std::map<std::string, long, std::less<>> calls_;
    long all_calls_ = 0;
    int broken_ = 0; // after an asynchronous fault, or a loss: what every call gives back
    std::map<const void*, std::string> live_;
    std::map<const void*, std::size_t> sizes_; // of memory
    std::uint64_t in_use_ = 0;
};

State& state();

// Of the family, in hip.cpp or cuda.cpp: defaults, and the attributes of its device.
Settings family_settings();
bool family_attribute(const Settings& settings, int which, int& value);

} // namespace ingot::standin
