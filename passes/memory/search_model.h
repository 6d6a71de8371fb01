// The problem as the exact search sees it: time in sections, sizes in units, buffers by rank.
#pragma once

#include <cstdint>
#include <vector>

#include "passes/memory/problem.h"

namespace ingot::passes::memory {

// A buffer; its number is its rank: of two choices the search tries the lower number first.
struct SearchItem {
    uint64_t size = 0, alignment = 1; // units
    uint32_t begin = 0, end = 0;      // sections [begin, end)
};

// Time is cut into the sections that matter: the largest sets of buffers that live together. Two buffers
// overlap in time exactly if they share a section.
struct SearchModel {
    uint64_t unit = 1; // bytes; all sizes and all offsets of a compact placement are multiples of it
    uint32_t sections = 0;
    std::vector<SearchItem> items;
    std::vector<uint32_t> source;                // of each item: the index in the problem
    std::vector<std::vector<uint32_t>> overlaps; // of each item: the others that share a section
    // Of each item: the next one with the same sections, size and alignment, or `none`.
    std::vector<uint32_t> twin;
    // Of each item: those of lower rank that can change places with it where one stands on the other.
    std::vector<std::vector<uint32_t>> exchangeable;

    static constexpr uint32_t none = UINT32_MAX;
};

// By what buffers are ranked; a rank compares these in turn, larger first.
enum class RankKey : std::uint8_t {
    life,     // length in time
    area,     // size times life
    total,    // the most live bytes during its life
    size,     // bytes
    overlaps, // how many others live at the same time
};
using Ranking = std::vector<RankKey>;

// Buffers of a problem whose lives touch, directly or through others, so that they must be planned together:
// indices into the problem, one list for each such part, by time. Buffers that take no space are in none.
std::vector<std::vector<uint32_t>> independent_parts(const Problem& problem);

// Pairs of buffers of one part that live at the same time, counting up to `most` only.
uint64_t count_overlaps(const Problem& problem, const std::vector<uint32_t>& part, uint64_t most);

SearchModel make_search_model(const Problem& problem, const std::vector<uint32_t>& part,
                              const Ranking& ranking);

} // namespace ingot::passes::memory
