// How far a long work is, on stderr: a bar that is drawn anew on a terminal, else nothing until it ends.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>

namespace ingot::tools {

class Progress {
  public:
    // `quiet` draws nothing at all, even on a terminal.
    explicit Progress(bool quiet);
    ~Progress(); // takes the bar away
    Progress(const Progress&) = delete;
    Progress& operator=(const Progress&) = delete;

    // `done` of `total` of a stage; 0 of 0 for one that can't say. The first call of a stage starts its
    // clock.
    void update(const std::string& stage, uint64_t done, uint64_t total);
    // Takes the bar away, so that something else can be printed.
    void clear();

  private:
    using Clock = std::chrono::steady_clock;
    bool shown_;
    bool drawn_ = false;
    std::string stage_;
    uint64_t first_done_ = 0; // when the stage began, e.g. what a cache already had
    Clock::time_point start_, last_;
};

// "[######----]  60%  kernels  ETA 0:04", without line end. The time left is that of the same pace.
std::string progress_line(const std::string& stage, uint64_t first_done, uint64_t done, uint64_t total,
                          double seconds);

} // namespace ingot::tools
