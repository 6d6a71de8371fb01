#include "runtime/text/token_index.h"

#include <algorithm>
#include <bit>
#include <functional>

namespace ingot::runtime {
namespace {

struct Place {
    std::size_t slot;
    std::uint32_t tag;
};

Place place_of(std::string_view text, std::size_t slots) {
    const std::uint64_t hash = std::hash<std::string_view>{}(text);
    return {.slot = hash & (slots - 1), .tag = static_cast<std::uint32_t>(hash >> 32)};
}

} // namespace

TokenIndex::TokenIndex(std::span<const std::string_view> texts) : texts_(texts) {
    slots_.resize(std::bit_ceil(texts.size() * 3 / 2 + 2));
    for (std::size_t i = 0; i < texts.size(); ++i) {
        if (texts[i].empty()) continue;
        longest_ = std::max(longest_, texts[i].size());
        auto [slot, tag] = place_of(texts[i], slots_.size());
        while (slots_[slot].id != absent) {
            const bool same =
                slots_[slot].tag == tag && texts[static_cast<std::size_t>(slots_[slot].id)] == texts[i];
            if (same) break;
            slot = (slot + 1) & (slots_.size() - 1);
        }
        slots_[slot] = {.tag = tag, .id = static_cast<std::int32_t>(i)};
    }
}

std::int32_t TokenIndex::find(std::string_view text) const {
    if (text.empty() || text.size() > longest_) return absent;
    auto [slot, tag] = place_of(text, slots_.size());
    for (; slots_[slot].id != absent; slot = (slot + 1) & (slots_.size() - 1)) {
        if (slots_[slot].tag == tag && texts_[static_cast<std::size_t>(slots_[slot].id)] == text) {
            return slots_[slot].id;
        }
    }
    return absent;
}

} // namespace ingot::runtime
