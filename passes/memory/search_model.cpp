#include "passes/memory/search_model.h"

#include <algorithm>
#include <array>
#include <map>
#include <numeric>

namespace ingot::passes::memory {

namespace {

// A section opens with the first buffer that begins after another has ended. Left and right of it are sets of
// live buffers that are contained in the section's own, so they demand nothing more.
void cut_into_sections(const Problem& problem, const std::vector<uint32_t>& part, SearchModel& model,
                       std::vector<SearchItem>& items) {
    struct Event {
        int64_t time;
        bool begins;
        uint32_t item;
    };
    std::vector<Event> events;
    for (uint32_t i = 0; i < part.size(); ++i) {
        const Buffer& b = problem.buffers[part[i]];
        events.push_back({.time = b.lower, .begins = true, .item = i});
        events.push_back({.time = b.upper, .begins = false, .item = i});
    }
    std::sort(events.begin(), events.end(), [](const Event& a, const Event& b) {
        return a.time != b.time ? a.time < b.time : a.begins < b.begins;
    });
    bool closed = true; // something has ended since the last section opened
    for (const Event& e : events) {
        if (e.begins && closed) ++model.sections;
        closed = !e.begins;
        (e.begins ? items[e.item].begin : items[e.item].end) = model.sections - (e.begins ? 1 : 0);
    }
}

// The largest unit in which all sizes and compact offsets are whole numbers. Where every size is a multiple
// of every alignment, compact offsets are aligned of themselves.
uint64_t find_unit(const Problem& problem, const std::vector<uint32_t>& part, bool& aligned) {
    uint64_t sizes = 0, all = 0;
    for (const uint32_t i : part) {
        sizes = std::gcd(sizes, problem.buffers[i].size);
        all = std::gcd(all, problem.buffers[i].alignment);
    }
    aligned = std::all_of(part.begin(), part.end(),
                          [&](uint32_t i) { return sizes % problem.buffers[i].alignment == 0; });
    return aligned ? sizes : std::gcd(sizes, all);
}

// Calls visit(a, b) for each pair that shares a section; a begins no later than b.
template <typename Visit>
void for_each_overlap(const std::vector<SearchItem>& items, Visit visit) {
    std::vector<uint32_t> by_begin(items.size());
    std::iota(by_begin.begin(), by_begin.end(), uint32_t{0});
    std::sort(by_begin.begin(), by_begin.end(), [&](uint32_t a, uint32_t b) {
        return items[a].begin != items[b].begin ? items[a].begin < items[b].begin : a < b;
    });
    for (size_t x = 0; x < by_begin.size(); ++x)
        for (size_t y = x + 1; y < by_begin.size() && items[by_begin[y]].begin < items[by_begin[x]].end; ++y)
            visit(by_begin[x], by_begin[y]);
}

// The values by which items are ranked.
struct Keys {
    std::array<double, 5> of{}; // by RankKey
};

std::vector<Keys> rank_keys(const Problem& problem, const std::vector<uint32_t>& part,
                            const SearchModel& model, const std::vector<SearchItem>& items) {
    std::vector<uint64_t> live(model.sections, 0);
    for (const SearchItem& item : items)
        for (uint32_t s = item.begin; s < item.end; ++s)
            live[s] += item.size;
    std::vector<Keys> keys(items.size());
    const auto key = [&](size_t i, RankKey k) -> double& { return keys[i].of[static_cast<size_t>(k)]; };
    for (size_t i = 0; i < items.size(); ++i) {
        const Buffer& b = problem.buffers[part[i]];
        const auto size = static_cast<double>(items[i].size);
        const auto life =
            static_cast<double>(static_cast<uint64_t>(b.upper) - static_cast<uint64_t>(b.lower));
        key(i, RankKey::life) = life;
        key(i, RankKey::area) = life * size;
        key(i, RankKey::size) = size;
        key(i, RankKey::total) = static_cast<double>(
            *std::max_element(live.begin() + items[i].begin, live.begin() + items[i].end));
    }
    for_each_overlap(items, [&](uint32_t a, uint32_t b) {
        ++key(a, RankKey::overlaps);
        ++key(b, RankKey::overlaps);
    });
    return keys;
}

// Items of the same sections: twins are alike in all, and two can change places where one stands on the other
// if the upper one's offset stays aligned.
void relate_equal_lives(SearchModel& model) {
    std::map<std::pair<uint32_t, uint32_t>, std::vector<uint32_t>> groups;
    for (uint32_t i = 0; i < model.items.size(); ++i) {
        const SearchItem& item = model.items[i];
        std::vector<uint32_t>& group = groups[{item.begin, item.end}];
        bool twin_found = false;
        for (auto j = group.rbegin(); j != group.rend(); ++j) {
            const SearchItem& lower = model.items[*j];
            if (lower.alignment != item.alignment) continue;
            if (lower.size == item.size && !twin_found) {
                model.twin[*j] = i;
                twin_found = true;
            }
            if (lower.size % item.alignment == 0 && item.size % item.alignment == 0)
                model.exchangeable[i].push_back(*j);
        }
        group.push_back(i);
    }
}

} // namespace

std::vector<std::vector<uint32_t>> independent_parts(const Problem& problem) {
    const std::vector<Buffer>& buffers = problem.buffers;
    std::vector<uint32_t> by_time;
    for (uint32_t i = 0; i < buffers.size(); ++i)
        if (takes_space(buffers[i])) by_time.push_back(i);
    std::stable_sort(by_time.begin(), by_time.end(),
                     [&](uint32_t a, uint32_t b) { return buffers[a].lower < buffers[b].lower; });
    std::vector<std::vector<uint32_t>> parts;
    int64_t end = 0;
    for (const uint32_t i : by_time) {
        if (parts.empty() || buffers[i].lower >= end) {
            parts.emplace_back();
            end = buffers[i].upper;
        }
        parts.back().push_back(i);
        end = std::max(end, buffers[i].upper);
    }
    return parts;
}

uint64_t count_overlaps(const Problem& problem, const std::vector<uint32_t>& part, uint64_t most) {
    // `part` is sorted by lower.
    uint64_t count = 0;
    for (size_t x = 0; x < part.size(); ++x)
        for (size_t y = x + 1;
             y < part.size() && problem.buffers[part[y]].lower < problem.buffers[part[x]].upper; ++y)
            if (++count == most) return count;
    return count;
}

SearchModel make_search_model(const Problem& problem, const std::vector<uint32_t>& part,
                              const Ranking& ranking) {
    SearchModel model;
    bool aligned = false;
    model.unit = find_unit(problem, part, aligned);
    std::vector<SearchItem> items(part.size());
    for (size_t i = 0; i < part.size(); ++i) {
        items[i].size = problem.buffers[part[i]].size / model.unit;
        items[i].alignment = aligned ? 1 : problem.buffers[part[i]].alignment / model.unit;
    }
    cut_into_sections(problem, part, model, items);

    const std::vector<Keys> keys = rank_keys(problem, part, model, items);
    std::vector<uint32_t> order(part.size());
    std::iota(order.begin(), order.end(), uint32_t{0});
    std::stable_sort(order.begin(), order.end(), [&](uint32_t a, uint32_t b) {
        for (const RankKey k : ranking) {
            const double x = keys[a].of[static_cast<size_t>(k)], y = keys[b].of[static_cast<size_t>(k)];
            if (x != y) return x > y;
        }
        return false;
    });
    for (const uint32_t i : order) {
        model.items.push_back(items[i]);
        model.source.push_back(part[i]);
    }
    model.overlaps.resize(part.size());
    for_each_overlap(model.items, [&](uint32_t a, uint32_t b) {
        model.overlaps[a].push_back(b);
        model.overlaps[b].push_back(a);
    });
    model.twin.assign(part.size(), SearchModel::none);
    model.exchangeable.resize(part.size());
    relate_equal_lives(model);
    return model;
}

} // namespace ingot::passes::memory
