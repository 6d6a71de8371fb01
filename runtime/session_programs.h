// The programs of a language model within a plan, and the arenas that they share.
#pragma once

#include "runtime/loaded_plan.h"

#include <array>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>

namespace ingot::runtime {

// A value that the caller writes before, or reads after, a program: a range of the io arena.
struct IoRange {
    std::uint64_t offset = 0;
    std::uint64_t bytes = 0;
};

// What a plan of a language model must have:
//   decode:  one token; tokens, positions, seqs i32[1], pages i32[B, M] -> logits f32[1, V], next i32[1]
//   prefill: T tokens;  tokens, positions, seqs i32[T], pages i32[B, M] -> hidden f32[T, E]
//   batch:   as prefill for few tokens; may be absent
//   head:    O rows;    hidden f32[T, E], ids i32[O]                    -> logits f32[O, V], next i32[O]
struct SessionShape {
    std::uint32_t context = 0;
    std::uint32_t vocabulary = 0;
    std::uint32_t tile = 0;      // most tokens of one run of `prefill`
    std::uint32_t batch = 0;     // of `batch`; 0: there is none
    std::uint32_t head_rows = 0; // most rows of one run of `head`
    IoRange tokens, positions, seqs, pages, ids, logits, next;
};

// Throws Error{bad_file} naming the program or value that is missing or has another type.
SessionShape session_shape(const PlanFile& plan);

// A program of the plan as a queue takes it, on these arenas. Throws Error{bad_file} where there is none of
// that name.
ProgramSpec program_spec(const LoadedPlan& plan, std::string_view name, const Arenas& arenas);

// Memory of one session, and the programs made ready to run on it.
class SessionPrograms {
  public:
    SessionPrograms(const LoadedPlan& plan, const QueueOptions& options);

    Queue& queue() { return *queue_; }
    Memory& io() { return *arenas_[static_cast<std::size_t>(Pool::io)]; }
    Memory& state() { return *arenas_[static_cast<std::size_t>(Pool::state)]; }
    std::size_t allocations() const;

    void run_decode() { queue_->run(*decode_, {}); }
    void run_batch(std::int32_t tokens) { queue_->run(*batch_, {&tokens, 1}); }
    void run_prefill(std::int32_t tokens) { queue_->run(*prefill_, {&tokens, 1}); }
    void run_head(std::int32_t rows) { queue_->run(*head_, {&rows, 1}); }

  private:
    std::unique_ptr<CommandList> prepare(const LoadedPlan& plan, std::string_view name);

    std::array<std::unique_ptr<Memory>, pool_count> arenas_; // without the weights, which the plan holds
    std::unique_ptr<Queue> queue_;
    std::unique_ptr<CommandList> decode_, batch_, prefill_, head_; // batch_ may be null
};

} // namespace ingot::runtime
