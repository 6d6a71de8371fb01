// How the tokens of a step address the paged KV cache: shared by kv_append and attention.
#pragma once

#include "ir/ops/structured.h"

namespace ingot::ir {

// Checks cache [pages, heads, page, channels] of operand `cache`, and positions i32[T], seqs i32[T], pages
// i32[B, M] from operand `positions` on, where T is the first dim of operand `tokens`.
void check_cache(const Rule& rule, size_t cache);
void check_addresses(const Rule& rule, size_t tokens, size_t positions);

// The page table of one step, checked entry by entry as it is used.
class PageTable {
  public:
    // `args[first]` and the two after it are positions, seqs and pages; the cache has these dims.
    PageTable(const Call& call, size_t first, std::vector<int64_t> cache_dims);
    size_t tokens() const { return positions_.size(); }
    int64_t position(size_t token) const { return positions_[token]; }
    size_t longest() const; // positions that the token furthest on in its sequence sees
    // Index of the first channel of `head` at `position` of the token's sequence, in a cache in rows.
    size_t element(size_t token, int64_t position, int64_t head) const;
    // Throws Error if the place of `position` of the token's sequence isn't in the cache.
    void require(size_t token, int64_t position) const;

  private:
    int64_t page_of(size_t token, int64_t position) const;

    const Call& call_;
    std::vector<int32_t> positions_, seqs_, pages_;
    int64_t sequences_, pages_a_sequence_;
    std::vector<int64_t> cache_dims_;
};

} // namespace ingot::ir
