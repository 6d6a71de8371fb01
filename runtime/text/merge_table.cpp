#include "runtime/text/merge_table.h"

#include <bit>

namespace ingot::runtime {
namespace {

std::uint64_t key_of(std::int32_t left, std::int32_t right) {
    return (static_cast<std::uint64_t>(static_cast<std::uint32_t>(left)) << 32) |
           static_cast<std::uint32_t>(right);
}

} // namespace

MergeTable::MergeTable(std::size_t merges) : slots_(std::bit_ceil(merges * 3 / 2 + 2)) {}

// The slot that holds `key`, or the free one where it belongs. The multiplier is 2^64 divided by the golden
// ratio (Knuth, TAOCP 3, 6.4); the high half is folded in because the low bits select the slot.
std::size_t MergeTable::slot_of(std::uint64_t key) const {
    const std::uint64_t mixed = (key ^ (key >> 29)) * 0x9E3779B97F4A7C15u;
    std::size_t slot = (mixed ^ (mixed >> 32)) & (slots_.size() - 1);
    while (slots_[slot].key != key && slots_[slot].key != empty) {
        slot = (slot + 1) & (slots_.size() - 1);
    }
    return slot;
}

void MergeTable::add(std::int32_t left, std::int32_t right, Merge merge) {
    const std::uint64_t key = key_of(left, right);
    Slot& slot = slots_[slot_of(key)];
    if (slot.key == empty) slot = {.key = key, .merge = merge};
}

Merge MergeTable::find(std::int32_t left, std::int32_t right) const {
    const std::uint64_t key = key_of(left, right);
    const Slot& slot = slots_[slot_of(key)];
    return slot.key == key && key != empty ? slot.merge : Merge{};
}

} // namespace ingot::runtime
