// Running a loaded plan: sequences, prompts and tokens in; logits and the most likely tokens out.
//
// A session takes all its memory when it opens and nothing later. It is used by one thread at a time (a
// second one that comes in meanwhile gets an Error); several sessions on one LoadedPlan run side by side.
#pragma once

#include "runtime/loaded_plan.h"
#include "runtime/sequence_id.h"

#include <cstdint>
#include <functional>
#include <memory>
#include <span>

namespace ingot::runtime {

struct SessionOptions {
    QueueOptions queue;
    // Keep the pages of freed sequences while there is room, and start a prompt behind its longest known
    // beginning.
    bool reuse_prefixes = true;
};

// One sequence's next token, for decode().
struct Step {
    SequenceId sequence;
    std::int32_t token = 0;
};

class Session {
  public:
    // Throws what LoadedPlan::load throws; Error{bad_file} for a plan whose programs are not those of a
    // language model.
    static std::unique_ptr<Session> open(std::shared_ptr<const LoadedPlan> plan,
                                         const SessionOptions& options = {});
    static std::unique_ptr<Session> open(std::shared_ptr<const PlanFile> plan, std::shared_ptr<Device> device,
                                         const SessionOptions& options = {});
    Session(const Session&) = delete;
    Session& operator=(const Session&) = delete;
    ~Session();

    // --- Sequences. A call with an id that is not open is Error{invalid_argument}.
    // Error{out_of_memory} where all max_sequences() are open.
    SequenceId create_sequence();
    // A second sequence with the same past. Costs one page at most; the rest is shared.
    SequenceId fork(SequenceId sequence);
    void free_sequence(SequenceId sequence);
    // Forgets everything from position `length` on; at most the present length.
    void truncate(SequenceId sequence, std::uint32_t length);
    std::uint32_t length(SequenceId sequence) const; // positions that its cache holds

    // --- Steps. After each, next() and logits() speak of the rows that it asked for.
    // Where one throws, no sequence has changed; the rows of the step before may be lost.
    // Error: invalid_argument (ids outside of the vocabulary, no ids, the context is full), out_of_memory (no
    // pages).

    // Appends `ids`, at least one, and computes the logits that follow the last: row 0.
    // Returns how many positions of them were taken from the cache and not computed.
    std::uint32_t prefill(SequenceId sequence, std::span<const std::int32_t> ids);
    // Appends one token to each of 1 to max_rows() different sequences; row i belongs to steps[i].
    void decode(std::span<const Step> steps);
    void decode(SequenceId sequence, std::int32_t token) { decode({{Step{sequence, token}}}); }
    // Appends `ids` and calls `each` with the logits after every one of them, in order; `index` counts from 0
    // within ids. Takes nothing from the cache. The span is valid during the call. What `each` throws comes
    // out of here; it must not call this session.
    using LogitsCallback = std::function<void(std::uint32_t index, std::span<const float> logits)>;
    void logits_for_all(SequenceId sequence, std::span<const std::int32_t> ids, const LogitsCallback& each);

    // Index of the greatest logit of a row, the first among equals; -1 where a logit is NaN.
    std::int32_t next(std::uint32_t row = 0) const;
    // vocabulary_size() logits of a row, valid until the next step. Copied from the device only when asked
    // for.
    std::span<const float> logits(std::uint32_t row = 0);

    // --- Facts
    std::uint32_t context() const; // most positions of one sequence
    std::uint32_t vocabulary_size() const;
    std::uint32_t max_sequences() const;
    std::uint32_t max_rows() const;     // most steps in one decode()
    std::uint32_t prefill_tile() const; // most tokens that one run of the prefill program takes
    std::uint32_t
    free_pages() const; // pages that new positions can have, counting those that only the cache keeps
    unsigned threads() const;
    std::size_t device_allocations() const; // made by this session and its plan
    std::uint64_t memory_bytes() const;     // all arenas but the weights
    const PlanFile& plan() const;

  private:
    struct State;
    class InUse;
    explicit Session(std::unique_ptr<State> state);
    std::unique_ptr<State> state_;
};

} // namespace ingot::runtime
