// Writing a plan file: all or nothing.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <span>

namespace ingot::runtime {

// Where the weights go while a plan is written.
class WeightsSink {
  public:
    WeightsSink(const WeightsSink&) = delete;
    WeightsSink& operator=(const WeightsSink&) = delete;
    // Writes `data` at `offset` of the weights arena. Any order, any sizes, from several threads at once;
    // ranges must not overlap, and what is never written is zero. Ranges that cover whole 1 MiB chunks are
    // the cheapest. Throws Error: io, or invalid_argument for a range past the end.
    void write(std::uint64_t offset, std::span<const std::byte> data);
    std::uint64_t bytes() const;

  private:
    friend class PlanFileWriter;
    struct State;
    explicit WeightsSink(State& state) : state_(&state) {}
    State* state_;
};

struct PlanParts {
    std::span<const std::byte> description; // a finished FlatBuffer of plan.fbs
    std::span<const std::byte> code; // code objects, each 64-aligned: Kernel.code_offset counts from here
    std::uint64_t weights_bytes = 0; // Plan.weights_bytes, or 0 where the weights stay in the model file
    std::function<void(WeightsSink&)> produce_weights; // called once; unset only where weights_bytes is 0
    bool durable = true; // wait until the disk has it, so that a loss of power can't leave a damaged plan
};

// Writes the plan beside `path` under another name and moves it into place when it is complete, so `path`
// never holds a part of a plan; replaces what is there. All space is reserved before the first byte is
// written. The description is checked as PlanFile::open does, so a plan that can't be opened is never
// written. Throws Error: io (disk full, no permission), bad_file (the description is at fault), and whatever
// the producer throws; the temporary file is gone then.
void write_plan(const std::filesystem::path& path, const PlanParts& parts);

} // namespace ingot::runtime
