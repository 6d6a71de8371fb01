// What this machine can do at best: the limits that a measured speed is held against.
#pragma once

#include <string>

namespace ingot::tools {

struct MachineLimits {
    double read_bytes_per_second =
        0;                          // streaming read of much more than the caches hold, all threads together
    double int8_ops_per_second = 0; // multiplications and additions of 8-bit products summed to 32 bits
    std::string int8_instructions;  // with which they are done
};

// Takes about half a second. `threads` as the session has them; `target` decides which instructions count:
// "x86-64-v4" has vpdpbusd on 512 bits, "x86-64-v3" vpmaddubsw + vpmaddwd + vpaddd on 256.
MachineLimits measure_machine(unsigned threads, const std::string& target);

} // namespace ingot::tools
