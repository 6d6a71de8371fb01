// Which page of the KV cache holds which positions of which sequence. Only bookkeeping: the keys and values
// themselves lie on the device, which this file never touches but through `CopyPage`.
//
// A page holds `page_positions` positions of one sequence, in all layers. Full pages may be shared by
// sequences with the same past, so they are reference counted; a page that is written to has one owner.
// Source: PagedAttention (Kwon et al., SOSP 2023).
#pragma once

#include "runtime/prefix_cache.h"
#include "runtime/sequence_id.h"

#include <cstdint>
#include <functional>
#include <span>
#include <vector>

namespace ingot::runtime {

struct KvShape {
    std::uint32_t page_positions = 0;
    std::uint32_t pages = 0;
    std::uint32_t max_sequences = 0;
    std::uint32_t max_pages_per_sequence = 0;
    std::uint32_t context = 0; // most positions of a sequence; <= page_positions * max_pages_per_sequence
};

// Copies the whole page `from` to the page `to` on the device.
using CopyPage = std::function<void(std::uint32_t to, std::uint32_t from)>;

class KvCache {
  public:
    // `table` is i32 [max_sequences, max_pages_per_sequence], where kernels look pages up: this object keeps
    // it up to date and marks it in `table_changed()`. Entries without a page are 0, which is safe to read.
    // Takes all its memory here.
    KvCache(const KvShape& shape, std::span<std::int32_t> table, CopyPage copy_page, bool keep_prefixes);

    // Error{out_of_memory} where all slots are taken.
    SequenceId open();
    SequenceId fork(SequenceId sequence);
    void close(SequenceId sequence);
    // Makes room for `ids` and enters them as the sequence's next positions. All or nothing.
    // Error: invalid_argument (past the context), out_of_memory (no pages).
    void append(SequenceId sequence, std::span<const std::int32_t> ids);
    // Forgets positions from `length` on.
    void truncate(SequenceId sequence, std::uint32_t length);
    // The same for positions that were entered and not computed, so that no prompt starts behind them.
    void retract(SequenceId sequence, std::uint32_t length);
    // For an empty sequence: takes over the longest kept beginning of `ids` that is whole pages and leaves at
    // least one id. Returns its length in positions.
    std::uint32_t reuse_prefix(SequenceId sequence, std::span<const std::int32_t> ids);

    std::uint32_t length(SequenceId sequence) const;
    std::uint32_t slot(SequenceId sequence) const; // row of the page table
    std::uint32_t free_pages() const;              // unused, and kept by nobody but the prefix cache
    std::uint32_t open_sequences() const { return open_count_; }
    // Whether the table changed since the last call.
    bool table_changed();

    // Aborts with the name of the invariant if the counts don't agree; for tests.
    void check() const;

  private:
    struct Sequence {
        std::uint32_t generation = 0;
        bool open = false;
        std::uint32_t length = 0;
    };
    std::uint32_t find(SequenceId sequence) const;
    std::span<std::int32_t> row(std::uint32_t slot);
    std::span<const std::int32_t> row(std::uint32_t slot) const;
    std::uint32_t page_of(std::uint32_t slot, std::uint32_t index) const;
    std::uint32_t take_page();
    void hold_page(std::uint32_t page);
    void drop_page(std::uint32_t page);
    void drop_pages_from(std::uint32_t slot, std::uint32_t index);
    std::uint32_t pages_for(std::uint32_t positions) const;
    std::span<std::int32_t> ids_of(std::uint32_t page);
    void own_last_page(std::uint32_t slot);
    void keep_full_page(std::uint32_t slot, std::uint32_t index);

    KvShape shape_;
    std::span<std::int32_t> table_;
    CopyPage copy_page_;
    bool keep_prefixes_;
    bool changed_ = true;
    std::uint32_t open_count_ = 0;
    std::vector<Sequence> sequences_;
    std::vector<std::uint32_t> references_; // by page: sequences that hold it
    std::vector<std::int32_t> ids_;         // by page: the ids of its positions
    std::vector<std::uint32_t> unused_;     // pages that nobody holds, a stack
    PrefixCache prefixes_;
};

} // namespace ingot::runtime
