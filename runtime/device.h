// What a session needs of a machine: memory, code, and running prepared lists of kernels. About a dozen
// calls, so that a new back end is one file of moderate size. tests/runtime/device_conformance_test.cpp holds
// all of them to this.
//
// Threads: a Device may be used from several threads. A Queue, what it prepared, and memory that it writes
// belong to one thread at a time. Everything made by a device must be destroyed before it. Errors: every call
// may throw Error{device}; allocate throws Error{out_of_memory}.
#pragma once

#include "runtime/launch_geometry.h"

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace ingot::runtime {

// As plan::Pool: which arena an operand lies in.
enum class Pool : std::uint8_t { weights, state, transient, io };
inline constexpr std::size_t pool_count = 4;
std::string_view name_of(Pool pool);

// One allocation. Zero-initialised; 4096-aligned where the host can see it. Freed by the destructor.
class Memory {
  public:
    virtual ~Memory() = default;
    virtual std::uint64_t bytes() const = 0;
    // The memory itself where the host shares it with the device, else null: then only a Queue can reach it.
    virtual std::byte* host_view() = 0;
};

// A loaded code object.
class Module {
  public:
    virtual ~Module() = default;
};

// One kernel of a recorded list, as plan.fbs describes it.
struct OperandRef {
    Pool pool = Pool::transient;
    std::uint64_t offset = 0;
};
struct WeightRange {
    std::uint64_t offset = 0; // in the weights arena
    std::uint64_t units = 0;  // dealt to the threads in contiguous shares that differ by one at most
    std::uint64_t unit_bytes = 0;
};
struct LaunchSpec {
    Module* module = nullptr;
    std::string symbol; // function of the module
    std::string name;   // for errors
    std::vector<OperandRef> operands;
    std::vector<WeightRange> weights;       // what it streams; the launches before fetch the head of it
    std::optional<LaunchGeometry> geometry; // devices without threads of their own need it
};

// The memory that a list's operands lie in, by Pool; null for a pool of no bytes.
using Arenas = std::array<Memory*, pool_count>;

struct ProgramSpec {
    std::string name;
    std::size_t dims = 0; // how many symbols run() is given
    std::vector<LaunchSpec> launches;
    Arenas arenas = {};
};

// A list of kernels, ready to run any number of times.
class CommandList {
  public:
    virtual ~CommandList() = default;
};

struct QueueOptions {
    unsigned threads = 0; // host only; 0: one a physical core that this process may use
    // How long an idle thread keeps watching for work before it sleeps; waking one takes tens of
    // microseconds.
    std::uint32_t spin_microseconds = 1000;
    // GPUs only: wait for every kernel, so that a fault always carries its kernel's name. Slow. Without it
    // the first run of each list is checked so, and a fault that comes later carries the list's name.
    bool check_launches = false;
};

// An ordered stream of work. Calls take effect in order; only read() and synchronize() are sure to wait for
// it.
class Queue {
  public:
    virtual ~Queue() = default;
    // Resolves every symbol and operand. Throws Error{bad_file} naming the launch whose symbol the module
    // lacks.
    virtual std::unique_ptr<CommandList> prepare(const ProgramSpec& program) = 0;
    // Runs all launches, each after the one before. `dims` are the symbols' values in their order of
    // declaration. Allocates nothing.
    virtual void run(CommandList& list, std::span<const std::int32_t> dims) = 0;
    virtual void write(Memory& to, std::uint64_t offset, std::span<const std::byte> data) = 0;
    virtual void read(Memory& from, std::uint64_t offset, std::span<std::byte> data) = 0;
    // Within one memory; the ranges don't overlap.
    virtual void copy(Memory& memory, std::uint64_t to, std::uint64_t from, std::uint64_t bytes) = 0;
    virtual void synchronize() = 0;
    virtual unsigned threads() const = 0; // 1 where the notion makes no sense
};

// A range of an open file.
struct FileRange {
    int descriptor = -1;
    std::uint64_t offset = 0;
    std::uint64_t bytes = 0;
    std::string name; // for errors
};

struct DeviceInfo {
    std::string name;   // "host", "hip", "hip:1"
    std::string model;  // of the processor, for people
    std::string target; // the best row of codegen/targets.def that it runs
    unsigned cores = 1; // physical cores, or compute units
    std::uint64_t memory_bytes = 0;
};

struct AllocationCount {
    std::size_t live = 0;
    std::size_t total = 0; // since the device was opened
};

class Device {
  public:
    virtual ~Device() = default;
    virtual const DeviceInfo& info() const = 0;
    // Throws Error{target} where the device can't run code of this target and ABI, with what is missing and
    // what to do.
    virtual void check_target(std::string_view target, std::uint32_t abi) const = 0;
    // `bytes` > 0. The pool tells how the memory will be used.
    virtual std::unique_ptr<Memory> allocate(Pool pool, std::uint64_t bytes) = 0;
    // Copies a range of a file to the start of `to`, at the speed of the file; returns when it is there.
    virtual void load(Memory& to, const FileRange& range) = 0;
    // `name` is for errors. Throws Error{bad_file} where the bytes are no code object for this device.
    virtual std::unique_ptr<Module> load_code(std::span<const std::byte> object, const std::string& name) = 0;
    virtual std::unique_ptr<Queue> open_queue(const QueueOptions& options) = 0;
    virtual AllocationCount allocations() const = 0;
};

} // namespace ingot::runtime
