#include "passes/memory/pits.h"

#include <algorithm>
#include <limits>
#include <tuple>

namespace ingot::passes::memory {

bool Pits::survey(const SearchState& state, std::span<const uint32_t> items) {
    const SearchModel& model = state.model();
    by_lowest_.clear();
    for (const uint32_t i : items) {
        if (state.placed(i)) continue;
        by_lowest_.emplace_back(state.lowest(i), i);
        for (uint32_t s = model.items[i].begin; s < model.items[i].end; ++s)
            choices_[s] = 0;
    }
    std::sort(by_lowest_.begin(), by_lowest_.end());
    for (const auto& [lowest, i] : by_lowest_) {
        const SearchItem& item = model.items[i];
        for (uint32_t s = item.begin; s < item.end; ++s) {
            if (choices_[s] == 0) {
                ground_[s] = filled_[s] = lowest;
                bytes_[s] = 0;
            }
            if (lowest == ground_[s]) ++choices_[s];
            bytes_[s] += item.size;
            filled_[s] = std::max(filled_[s], lowest) + item.size;
            if (filled_[s] > state.capacity()) {
                ++failures_[s];
                return false;
            }
        }
    }
    return true;
}

Branch Pits::choose(const SearchState& state, std::span<const uint32_t> items) const {
    const SearchModel& model = state.model();
    uint32_t begin = UINT32_MAX, end = 0;
    for (const uint32_t i : items) {
        begin = std::min(begin, model.items[i].begin);
        end = std::max(end, model.items[i].end);
    }
    Branch best;
    constexpr double most = std::numeric_limits<double>::infinity();
    std::tuple<double, uint64_t, uint64_t> best_key{most, 0, 0};
    for (uint32_t from = begin; from < end;) {
        uint32_t to = from + 1;
        while (to < end && ground_[to] == ground_[from])
            ++to;
        const bool walled = (from == begin || ground_[from - 1] > ground_[from]) &&
                            (to == end || ground_[to] > ground_[from]);
        for (uint32_t s = from; walled && s < to; ++s) {
            const uint64_t slack = state.capacity() - ground_[s] - bytes_[s];
            const uint64_t choices = choices_[s] + (slack > 0 ? 1 : 0);
            const std::tuple key{static_cast<double>(choices) / static_cast<double>(1 + failures_[s]), slack,
                                 ground_[s]};
            if (key >= best_key) continue;
            best_key = key;
            best = {.section = s, .ground = ground_[s], .may_stay_bare = slack > 0};
        }
        from = to;
    }
    return best;
}

} // namespace ingot::passes::memory
