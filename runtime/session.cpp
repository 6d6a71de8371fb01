#include "runtime/session.h"

#include "plan_generated.h"
#include "runtime/error.h"
#include "runtime/kv_cache.h"
#include "runtime/required.h"
#include "runtime/session_programs.h"

#include <algorithm>
#include <atomic>
#include <numeric>
#include <vector>

#include <fmt/format.h>

namespace ingot::runtime {
namespace {

KvShape kv_shape(const plan::Plan& p) {
    const plan::Cache& cache = required(p.cache());
    return {.page_positions = cache.page_positions(),
            .pages = cache.pages(),
            .max_sequences = cache.max_sequences(),
            .max_pages_per_sequence = cache.max_pages_per_sequence(),
            .context = p.context()};
}

} // namespace

struct Session::State {
    State(std::shared_ptr<const LoadedPlan> loaded, const SessionOptions& options)
        : plan(std::move(loaded)), shape(session_shape(plan->file())), programs(*plan, options.queue),
          table(std::size_t{required(plan->file().description().cache()).max_sequences()} *
                required(plan->file().description().cache()).max_pages_per_sequence()),
          cache(
              kv_shape(plan->file().description()), table,
              [this](std::uint32_t to, std::uint32_t from) { copy_page(to, from); }, options.reuse_prefixes),
          tokens(shape.tile), positions(shape.tile), seqs(shape.tile), ids(shape.head_rows),
          next(shape.head_rows, -1) {
        if (programs.io().host_view() == nullptr)
            logits.resize(std::size_t{shape.head_rows} * shape.vocabulary);
    }

    std::shared_ptr<const LoadedPlan> plan;
    SessionShape shape;
    SessionPrograms programs;
    std::vector<std::int32_t> table; // as the device has it, or will have before the next run
    KvCache cache;
    std::vector<std::int32_t> tokens, positions, seqs; // of the next run
    std::vector<std::int32_t> ids;                     // of the head
    std::vector<std::int32_t> next;                    // by row
    std::vector<float> logits; // of all rows; empty where the device's memory can be read in place
    std::uint32_t rows = 0;    // of the last step
    bool logits_copied = false;
    std::atomic_flag in_use = ATOMIC_FLAG_INIT;

    void copy_page(std::uint32_t to, std::uint32_t from) {
        for (const plan::CachePlane* plane : required(required(plan->file().description().cache()).planes()))
            programs.queue().copy(programs.state(), plane->offset() + to * plane->page_bytes(),
                                  plane->offset() + from * plane->page_bytes(), plane->page_bytes());
    }

    void write(const IoRange& to, std::span<const std::int32_t> values) {
        programs.queue().write(programs.io(), to.offset, std::as_bytes(values));
    }

    void check_ids(std::span<const std::int32_t> given) const {
        for (const std::int32_t id : given)
            if (id < 0 || static_cast<std::uint32_t>(id) >= shape.vocabulary)
                throw Error(Code::invalid_argument, "session",
                            fmt::format("token {} is outside of the vocabulary of {}", id, shape.vocabulary));
    }

    // Brings the first `count` entries of tokens, positions and seqs, and the page table, to the device.
    void write_step(std::uint32_t count) {
        if (cache.table_changed()) write(shape.pages, table);
        write(shape.tokens, std::span(tokens).first(count));
        write(shape.positions, std::span(positions).first(count));
        write(shape.seqs, std::span(seqs).first(count));
    }

    // Runs the layers for `count` entries. Their logits are there at once where this returns true: a single
    // token has a program of its own, which goes on to the head.
    bool run_layers(std::uint32_t count) {
        write_step(count);
        if (count == 1) {
            programs.run_decode();
            return true;
        }
        if (count <= shape.batch)
            programs.run_batch(static_cast<std::int32_t>(count));
        else
            programs.run_prefill(static_cast<std::int32_t>(count));
        return false;
    }

    void run_head(std::uint32_t first_row, std::uint32_t count) {
        std::iota(ids.begin(), ids.begin() + count, static_cast<std::int32_t>(first_row));
        write(shape.ids, std::span(ids).first(count));
        programs.run_head(static_cast<std::int32_t>(count));
    }

    // After the run of a head of `count` rows.
    void take_rows(std::uint32_t count) {
        programs.queue().read(programs.io(), shape.next.offset,
                              std::as_writable_bytes(std::span(next).first(count)));
        rows = count;
        logits_copied = false;
    }

    std::span<const float> row_of_logits(std::uint32_t row) {
        const std::size_t count = shape.vocabulary;
        if (const std::byte* io = programs.io().host_view())
            return {reinterpret_cast<const float*>(io + shape.logits.offset) + row * count, count};
        if (!logits_copied) {
            programs.queue().read(programs.io(), shape.logits.offset,
                                  std::as_writable_bytes(std::span(logits).first(rows * count)));
            logits_copied = true;
        }
        return std::span<const float>(logits).subspan(row * count, count);
    }

    // Enters up to a tile of `given` as the next positions of a sequence.
    std::uint32_t enter_tile(std::uint32_t slot, std::uint32_t position,
                             std::span<const std::int32_t> given) {
        const auto count = static_cast<std::uint32_t>(std::min<std::size_t>(given.size(), shape.tile));
        std::ranges::copy(given.first(count), tokens.begin());
        std::iota(positions.begin(), positions.begin() + count, static_cast<std::int32_t>(position));
        std::fill_n(seqs.begin(), count, static_cast<std::int32_t>(slot));
        return count;
    }
};

// One call at a time.
class Session::InUse {
  public:
    explicit InUse(State& state) : state_(state) {
        if (state.in_use.test_and_set(std::memory_order_acquire))
            throw Error(Code::invalid_argument, "session",
                        "it is in use by another thread; open a session for each");
    }
    ~InUse() { state_.in_use.clear(std::memory_order_release); }
    InUse(const InUse&) = delete;
    InUse& operator=(const InUse&) = delete;

  private:
    State& state_;
};

Session::Session(std::unique_ptr<State> state) : state_(std::move(state)) {}
Session::~Session() = default;

std::unique_ptr<Session> Session::open(std::shared_ptr<const LoadedPlan> plan,
                                       const SessionOptions& options) {
    return std::unique_ptr<Session>(new Session(std::make_unique<State>(std::move(plan), options)));
}

std::unique_ptr<Session> Session::open(std::shared_ptr<const PlanFile> plan, std::shared_ptr<Device> device,
                                       const SessionOptions& options) {
    return open(LoadedPlan::load(std::move(plan), std::move(device)), options);
}

SequenceId Session::create_sequence() {
    const InUse guard(*state_);
    return state_->cache.open();
}

SequenceId Session::fork(SequenceId sequence) {
    const InUse guard(*state_);
    return state_->cache.fork(sequence);
}

void Session::free_sequence(SequenceId sequence) {
    const InUse guard(*state_);
    state_->cache.close(sequence);
}

void Session::truncate(SequenceId sequence, std::uint32_t length) {
    const InUse guard(*state_);
    state_->cache.truncate(sequence, length);
}

std::uint32_t Session::length(SequenceId sequence) const {
    return state_->cache.length(sequence);
}

std::uint32_t Session::prefill(SequenceId sequence, std::span<const std::int32_t> ids) {
    const InUse guard(*state_);
    State& s = *state_;
    if (ids.empty()) throw Error(Code::invalid_argument, "session", "no ids to compute");
    s.check_ids(ids);
    const std::uint32_t before = s.cache.length(sequence);
    const std::uint32_t reused = s.cache.reuse_prefix(sequence, ids);
    std::span<const std::int32_t> rest = ids.subspan(reused);
    const std::uint32_t known = s.cache.length(sequence);
    try {
        s.cache.append(sequence, rest);
        const std::uint32_t slot = s.cache.slot(sequence);
        std::uint32_t count = 0;
        bool has_logits = false;
        for (std::uint32_t at = known; !rest.empty(); rest = rest.subspan(count), at += count) {
            count = s.enter_tile(slot, at, rest);
            has_logits = s.run_layers(count);
        }
        if (!has_logits) s.run_head(count - 1, 1);
        s.take_rows(1);
    } catch (...) {
        s.cache.retract(sequence, known);
        s.cache.truncate(sequence, before);
        throw;
    }
    return reused;
}

void Session::decode(std::span<const Step> steps) {
    const InUse guard(*state_);
    State& s = *state_;
    if (steps.empty() || steps.size() > max_rows())
        throw Error(Code::invalid_argument, "session",
                    fmt::format("{} steps at once; it takes 1 to {}", steps.size(), max_rows()));
    const auto count = static_cast<std::uint32_t>(steps.size());
    for (std::uint32_t i = 0; i < count; ++i) {
        s.check_ids({&steps[i].token, 1});
        s.seqs[i] = static_cast<std::int32_t>(s.cache.slot(steps[i].sequence));
        if (std::find(s.seqs.begin(), s.seqs.begin() + i, s.seqs[i]) != s.seqs.begin() + i)
            throw Error(Code::invalid_argument, "session", "two steps of one sequence at once");
    }
    std::uint32_t entered = 0;
    try {
        for (; entered < count; ++entered) {
            const Step& step = steps[entered];
            s.tokens[entered] = step.token;
            s.positions[entered] = static_cast<std::int32_t>(s.cache.length(step.sequence));
            s.cache.append(step.sequence, {&step.token, 1});
        }
        if (!s.run_layers(count)) s.run_head(0, count);
        s.take_rows(count);
    } catch (...) {
        for (; entered > 0; --entered)
            s.cache.retract(steps[entered - 1].sequence,
                            static_cast<std::uint32_t>(s.positions[entered - 1]));
        throw;
    }
}

void Session::logits_for_all(SequenceId sequence, std::span<const std::int32_t> ids,
                             const LogitsCallback& each) {
    const InUse guard(*state_);
    State& s = *state_;
    if (ids.empty()) throw Error(Code::invalid_argument, "session", "no ids to compute");
    s.check_ids(ids);
    const std::uint32_t before = s.cache.length(sequence);
    s.cache.append(sequence, ids);
    try {
        const std::uint32_t slot = s.cache.slot(sequence);
        std::uint32_t index = 0;
        for (std::uint32_t count = 0; !ids.empty(); ids = ids.subspan(count)) {
            count = s.enter_tile(slot, before + index, ids);
            const bool has_logits = s.run_layers(count);
            for (std::uint32_t done = 0; done < count;) {
                const std::uint32_t part = std::min(count - done, s.shape.head_rows);
                if (!has_logits) s.run_head(done, part);
                s.take_rows(part);
                for (std::uint32_t i = 0; i < part; ++i)
                    each(index++, s.row_of_logits(i));
                done += part;
            }
        }
    } catch (...) {
        s.cache.retract(sequence, before);
        throw;
    }
}

std::int32_t Session::next(std::uint32_t row) const {
    if (row >= state_->rows)
        throw Error(Code::invalid_argument, "session",
                    fmt::format("row {} of a step of {} rows", row, state_->rows));
    return state_->next[row];
}

std::span<const float> Session::logits(std::uint32_t row) {
    const InUse guard(*state_);
    if (row >= state_->rows)
        throw Error(Code::invalid_argument, "session",
                    fmt::format("row {} of a step of {} rows", row, state_->rows));
    return state_->row_of_logits(row);
}

std::uint32_t Session::context() const {
    return state_->shape.context;
}

std::uint32_t Session::vocabulary_size() const {
    return state_->shape.vocabulary;
}

std::uint32_t Session::max_sequences() const {
    return required(plan().description().cache()).max_sequences();
}

std::uint32_t Session::max_rows() const {
    return std::min({state_->shape.head_rows, state_->shape.tile, max_sequences()});
}

std::uint32_t Session::prefill_tile() const {
    return state_->shape.tile;
}

std::uint32_t Session::free_pages() const {
    return state_->cache.free_pages();
}

unsigned Session::threads() const {
    return state_->programs.queue().threads();
}

std::size_t Session::device_allocations() const {
    return state_->programs.allocations() + (state_->plan->weights() != nullptr ? 1 : 0);
}

std::uint64_t Session::memory_bytes() const {
    const plan::Plan& p = plan().description();
    return p.state_bytes() + p.transient_bytes() + p.io_bytes();
}

const PlanFile& Session::plan() const {
    return state_->plan->file();
}

} // namespace ingot::runtime
