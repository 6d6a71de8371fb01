// Byte-pair merges by the ids of their two parts.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace ingot::runtime {

struct Merge {
    static constexpr std::uint32_t no_rank = UINT32_MAX;
    std::uint32_t rank = no_rank; // lower merges first
    std::int32_t id = -1;         // the token that the two parts become
    explicit operator bool() const { return rank != no_rank; }
};

// A flat open-addressing table: 16 bytes a slot, at most two thirds full.
class MergeTable {
  public:
    MergeTable() = default;
    explicit MergeTable(std::size_t merges);
    // Keeps the first of equal pairs. At most as many pairs may be added as the table was made for.
    void add(std::int32_t left, std::int32_t right, Merge merge);
    Merge find(std::int32_t left, std::int32_t right) const;

  private:
    struct Slot {
        std::uint64_t key = empty;
        Merge merge;
    };
    static constexpr std::uint64_t empty = UINT64_MAX; // the pair (-1, -1), which never merges
    std::size_t slot_of(std::uint64_t key) const;
    std::vector<Slot> slots_;
};

} // namespace ingot::runtime
