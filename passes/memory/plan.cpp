#include "passes/memory/plan.h"

#include "ir/error.h"
#include "passes/memory/greedy.h"

#include <algorithm>
#include <array>
#include <fmt/format.h>
#include <numeric>

namespace ingot::passes::memory {

namespace {

constexpr uint64_t largest = uint64_t{1} << 63;

// Parts above this are left to the cheap orders: the search would take hundreds of megabytes, and
// milliseconds for each of its many steps.
constexpr size_t most_items = size_t{1} << 13;
constexpr uint64_t most_overlaps = uint64_t{1} << 23;

// How soon a search ends hangs on which buffer it tries first, by factors of thousands and differently for
// each problem. So rankings take turns, each with a number of steps that doubles from round to round, and
// whichever is good here ends it.
const std::array<Ranking, 6> rankings = {{
    {RankKey::total, RankKey::life, RankKey::area},
    {RankKey::total, RankKey::area, RankKey::life},
    {RankKey::size, RankKey::total, RankKey::life},
    {RankKey::life, RankKey::area, RankKey::total},
    {RankKey::overlaps, RankKey::total, RankKey::life},
    {RankKey::area, RankKey::total, RankKey::life},
}};
// Of the first round; a search that goes well takes little more than one step for each buffer.
constexpr uint64_t first_steps = 1000, first_steps_per_buffer = 4;

// Steps of the search for a lower peak, so that its result does not hang on the machine's speed.
constexpr uint64_t steps_at_bound = 20'000, steps_above_bound = 5'000;

// Places one part of the problem, whose buffers are connected in time. Adds to `steps`.
SearchEnd place_part(const Problem& problem, const std::vector<uint32_t>& part, uint64_t capacity,
                     const SearchLimits& limits, std::vector<uint64_t>& offsets, uint64_t& steps) {
    if (part.size() > most_items || count_overlaps(problem, part, most_overlaps) == most_overlaps)
        return SearchEnd::limit;
    SectionFailures failures;
    for (uint64_t turn = std::max(first_steps, first_steps_per_buffer * part.size());; turn *= 2)
        for (const Ranking& ranking : rankings) {
            if (steps >= limits.steps || limits.deadline.passed()) return SearchEnd::limit;
            const SearchModel model = make_search_model(problem, part, ranking);
            failures.resize(model.sections); // the same for all rankings
            const SearchResult result =
                search(model, capacity / model.unit, failures,
                       {.steps = std::min(turn, limits.steps - steps), .deadline = limits.deadline});
            steps += result.steps;
            if (result.end == SearchEnd::found)
                for (size_t i = 0; i < model.source.size(); ++i)
                    offsets[model.source[i]] = result.offsets[i] * model.unit;
            if (result.end != SearchEnd::limit) return result.end;
        }
}

// By the exact search alone, part by part.
PlanResult place_exactly(const Problem& problem, uint64_t capacity, const SearchLimits& limits) {
    PlanResult result{.end = SearchEnd::found};
    result.placement.offsets.assign(problem.buffers.size(), 0);
    for (const std::vector<uint32_t>& part : independent_parts(problem)) {
        result.end = place_part(problem, part, capacity, limits, result.placement.offsets, result.steps);
        if (result.end != SearchEnd::found) return {.end = result.end, .steps = result.steps};
    }
    result.placement.peak = peak_of(problem, result.placement.offsets);
    return result;
}

// Peaks of compact placements are multiples of this.
uint64_t granule_of(const Problem& problem) {
    uint64_t granule = 0;
    for (const Buffer& b : problem.buffers)
        if (takes_space(b)) granule = std::gcd(granule, std::gcd(b.size, b.alignment));
    return granule;
}

} // namespace

PlanResult plan_within(const Problem& problem, uint64_t capacity, double seconds) {
    const Deadline deadline(seconds);
    require_sound(problem);
    const uint64_t bound = lower_bound(problem);
    capacity = std::min(capacity, largest);
    PlanResult result{.end = SearchEnd::impossible};
    if (bound <= capacity) {
        if (auto greedy = place_greedily(problem, capacity, deadline); greedy && greedy->peak <= capacity)
            result = {.end = SearchEnd::found, .placement = std::move(*greedy)};
        else
            result = place_exactly(problem, capacity, {.deadline = deadline});
    }
    result.bound = bound;
    return result;
}

Placement plan(const Problem& problem, double seconds) {
    const Deadline deadline(seconds);
    require_sound(problem);
    const uint64_t bound = lower_bound(problem);
    // One cheap order runs to its end whatever the time, for there must be a result.
    auto best = place_greedily(problem, GreedyOrder::size, GreedyFit::lowest, Deadline::never());
    if (best && best->peak == bound) return *best;
    if (auto other = place_greedily(problem, bound, deadline); other && (!best || other->peak < best->peak))
        best = std::move(other);

    const uint64_t granule = granule_of(problem);
    uint64_t low = bound; // the least peak that is neither disproved nor given up
    uint64_t high = best ? best->peak : largest;
    for (uint64_t capacity = bound; low < high && !deadline.passed();
         capacity = low + (high - low) / granule / 2 * granule) {
        PlanResult result = place_exactly(
            problem, capacity,
            {.steps = capacity == bound ? steps_at_bound : steps_above_bound, .deadline = deadline});
        if (result.end == SearchEnd::found) {
            best = std::move(result.placement);
            high = best->peak;
        } else
            low = capacity + granule;
    }
    if (!best)
        throw ir::Error(
            "memory plan",
            fmt::format("no placement below 2^63 bytes is found; the buffers need {} at least", bound));
    return *best;
}

} // namespace ingot::passes::memory
