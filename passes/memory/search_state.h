// Where every buffer of a search may lie: bounds that grow while buffers are placed, and that can be undone.
#pragma once

#include <span>
#include <vector>

#include "passes/memory/align.h"
#include "passes/memory/search_model.h"

namespace ingot::passes::memory {

// Buffers are placed from below: whatever is placed later lies above, where it overlaps in time. Only compact
// placements are looked for, in which every buffer stands on another or on the ground (up to alignment); any
// placement can be pushed down into one.
class SearchState {
  public:
    SearchState(const SearchModel& model, uint64_t capacity);

    const SearchModel& model() const { return model_; }
    uint64_t capacity() const { return capacity_; } // units
    bool placed(uint32_t item) const { return placed_[item] != 0; }
    // Of a placed item its offset, of another the least that it can be.
    uint64_t lowest(uint32_t item) const { return lowest_[item]; }
    // Where an item would lie on what is placed already. It can be placed now only where this is `lowest`.
    uint64_t support(uint32_t item) const { return support_[item]; }

    // At lowest(item), with nothing to come below it.
    void place(uint32_t item);
    // The item lies at `bound` or higher.
    void raise(uint32_t item, uint64_t bound);
    // Draws the conclusions for `items`, which must be all unplaced ones that are connected in time; placed
    // ones among them are passed over. False: they can't be placed within the capacity.
    bool settle(std::span<const uint32_t> items);

    size_t mark() const { return trail_.size(); }
    void undo(size_t mark);

  private:
    enum class Change : std::uint8_t { placed, lowest, support };
    struct Entry {
        uint32_t item;
        Change change;
        uint64_t before;
    };

    bool lift_unsupported(std::span<const uint32_t> items);
    uint64_t top(uint32_t item) const { return saturating_sum(lowest_[item], model_.items[item].size); }

    const SearchModel& model_;
    uint64_t capacity_;
    std::vector<uint64_t> lowest_, support_;
    std::vector<uint8_t> placed_;
    std::vector<Entry> trail_;
    std::vector<std::pair<uint64_t, uint32_t>> open_; // of lift_unsupported
};

} // namespace ingot::passes::memory
