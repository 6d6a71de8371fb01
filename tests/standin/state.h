// What a stand-in is and counts (control.h).
#pragma once

#include "tests/standin/ledger.h"

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

namespace ingot::standin {

struct Settings {
    std::string arch, named; // named: what the property struct says; empty: the same
    int devices = 1, version = 0, wave = 0;
    int threads = 1024, shared = 65536, kernel_threads = 1024, kernel_shared = 0;
    std::uint64_t memory = std::uint64_t{8} << 30;
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

class State : public Ledger {
  public:
    // False for a text that it does not understand.
    bool configure(std::string_view text);

    // Whether [at, at + bytes) lies within one piece of memory of this kind.
    bool holds(const char* kind, const void* at, std::size_t bytes) const;
    // As Ledger's, of memory.
    void add_memory(const char* kind, const void* at, std::size_t bytes);
    bool remove_memory(const char* kind, const void* at);
    std::uint64_t memory_in_use() const { return in_use_; }

    // Puts work on a stream, or into what it captures.
    void put(Stream& stream, Operation work);
    // Does what is on a stream. The error of the first operation that has one; it stays for ever.
    int finish(Stream& stream);
    int finish_all();

    Settings settings;
    std::recursive_mutex mutex;

  private:
    std::map<const void*, std::size_t> sizes_; // of memory
    std::uint64_t in_use_ = 0;
};

State& state();

// Of the family, in hip.cpp or cuda.cpp: defaults, and the attributes of its device.
Settings family_settings();
bool family_attribute(const Settings& settings, int which, int& value);

} // namespace ingot::standin
