// What this machine can do at best: the limits that a measured speed is held against.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "runtime/device.h"
#include "runtime/host/team.h"

namespace ingot::tools {

// Each call of a measurement is one short pass, so that passes can alternate with what is compared to them: a
// shared machine's limits change from one second to the next. The threads sleep between passes.
class MachineProbe {
  public:
    // Threads are pinned as the host device pins them. `bytes` is what is read, and so much memory it takes:
    // where a step of a model reads as much, a last cache keeps the same part of both. `target` decides which
    // instructions count. Throws runtime::Error where there is no memory, and for a target that this machine
    // does not run.
    MachineProbe(unsigned threads, std::string_view target, uint64_t bytes);

    // Bytes a second that all threads together read, once through.
    double read_bandwidth();
    // Multiplications and additions a second of 8-bit products summed to 32 bits: a dot product of n elements
    // is 2n of them. "x86-64-v4": vpdpbusd on 512 bits; "x86-64-v3": vpmaddubsw + vpmaddwd + vpaddd on 256.
    double int8_rate();
    std::string_view int8_instructions() const;

  private:
    runtime::ThreadTeam team_;
    std::unique_ptr<runtime::Memory> memory_;
    bool wide_ = false;
};

// 0 where it was not measured.
struct MachineLimits {
    double read_bytes_per_second = 0;
    // Multiplications and additions that the products of a prompt are made of.
    double ops_per_second = 0;
    std::string instructions; // that do them
};

// The best of many passes; takes about half a second.
MachineLimits measure_machine(unsigned threads, const std::string& target, uint64_t bytes);

} // namespace ingot::tools
