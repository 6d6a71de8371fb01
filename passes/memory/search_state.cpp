#include "passes/memory/search_state.h"

#include <algorithm>

namespace ingot::passes::memory {

SearchState::SearchState(const SearchModel& model, uint64_t capacity)
    : model_(model), capacity_(capacity), lowest_(model.items.size(), 0), support_(model.items.size(), 0),
      placed_(model.items.size(), 0) {}

void SearchState::raise(uint32_t item, uint64_t bound) {
    if (bound <= lowest_[item]) return;
    trail_.push_back({.item = item, .change = Change::lowest, .before = lowest_[item]});
    lowest_[item] = align_up(bound, model_.items[item].alignment);
}

void SearchState::place(uint32_t item) {
    trail_.push_back({.item = item, .change = Change::placed, .before = 0});
    placed_[item] = 1;
    const uint64_t end = top(item);
    for (const uint32_t other : model_.overlaps[item]) {
        if (placed(other)) continue;
        raise(other, end);
        const uint64_t on_it = align_up(end, model_.items[other].alignment);
        if (on_it > support_[other]) {
            trail_.push_back({.item = other, .change = Change::support, .before = support_[other]});
            support_[other] = on_it;
        }
    }
    // Of two that could change places, the one of lower rank is below.
    for (const uint32_t other : model_.exchangeable[item])
        if (!placed(other)) raise(other, end + 1);
}

void SearchState::undo(size_t mark) {
    for (; trail_.size() > mark; trail_.pop_back()) {
        const Entry& entry = trail_.back();
        switch (entry.change) {
        case Change::placed:
            placed_[entry.item] = 0;
            break;
        case Change::lowest:
            lowest_[entry.item] = entry.before;
            break;
        case Change::support:
            support_[entry.item] = entry.before;
            break;
        }
    }
}

// An item that can't lie on what is placed must stand on one that isn't. The least offsets under this rule
// are shortest paths from the items that are supported, found as Dijkstra does.
bool SearchState::lift_unsupported(std::span<const uint32_t> items) {
    open_.clear();
    for (const uint32_t i : items) {
        if (placed(i) || lowest_[i] == support_[i]) continue;
        uint64_t least = no_offset;
        for (const uint32_t j : model_.overlaps[i])
            if (!placed(j) && lowest_[j] == support_[j]) least = std::min(least, top(j));
        open_.emplace_back(least, i);
    }
    const auto stands = [&](const std::pair<uint64_t, uint32_t>& entry) {
        return std::max(lowest_[entry.second], align_up(entry.first, model_.items[entry.second].alignment));
    };
    while (!open_.empty()) {
        const auto next = std::min_element(open_.begin(), open_.end(), [&](const auto& a, const auto& b) {
            return std::pair(stands(a), a.second) < std::pair(stands(b), b.second);
        });
        const uint32_t i = next->second;
        if (stands(*next) > capacity_) return false;
        raise(i, stands(*next));
        *next = open_.back();
        open_.pop_back();
        const SearchItem& item = model_.items[i];
        for (auto& [least, j] : open_)
            if (model_.items[j].begin < item.end && item.begin < model_.items[j].end)
                least = std::min(least, top(i));
    }
    return true;
}

bool SearchState::settle(std::span<const uint32_t> items) {
    // Each rule can raise what the other starts from. Two rounds leave little; more would be right too.
    for (int round = 0; round < 2; ++round) {
        const size_t before = mark();
        // Of twins, the one of lower rank is below. Items come by rank, so one pass reaches the last of them.
        for (const uint32_t i : items)
            if (const uint32_t next = model_.twin[i];
                next != SearchModel::none && !placed(i) && !placed(next))
                raise(next, top(i));
        if (!lift_unsupported(items)) return false;
        if (mark() == before) break;
    }
    return std::all_of(items.begin(), items.end(), [&](uint32_t i) {
        return placed(i) ||
               (model_.items[i].size <= capacity_ && lowest_[i] <= capacity_ - model_.items[i].size);
    });
}

} // namespace ingot::passes::memory
