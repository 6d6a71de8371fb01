#include "ir/ops/kv_cache.h"

#include <algorithm>

#include <fmt/format.h>

namespace ingot::ir {

void check_cache(const Rule& rule, size_t cache) {
    const Type& t = rule.operands[cache];
    const bool floats = t.element == Element::f32 || t.element == Element::f16 || t.element == Element::bf16;
    const bool layout = t.layout == Layout::rows || t.layout == Layout::kv_channels ||
                        (t.layout == Layout::kv_octets && t.dims.size() == 4 && !t.dims[3].is_symbol() &&
                         t.dims[3].constant() % 8 == 0);
    if (!floats || !layout || t.dims.size() != 4 || t.pool != Pool::state)
        rule.fail(rule.show(cache) + "; it must be floats [pages, heads, positions, channels] in state");
    for (size_t i = 1; i < 4; ++i)
        if (t.dims[i].is_symbol())
            rule.fail(rule.show(cache) + "; only the number of its pages may be a symbol");
}

void check_addresses(const Rule& rule, size_t tokens, size_t positions) {
    rule.plain(positions, Element::i32, 1);
    rule.plain(positions + 1, Element::i32, 1);
    rule.plain(positions + 2, Element::i32, 2);
    rule.same_dim(tokens, 0, positions, 0);
    rule.same_dim(tokens, 0, positions + 1, 0);
}

PageTable::PageTable(const Call& call, size_t first, std::vector<int64_t> cache_dims)
    : call_(call), positions_(ints_of(call.args[first])), seqs_(ints_of(call.args[first + 1])),
      pages_(ints_of(call.args[first + 2])), sequences_(call.args[first + 2].dims[0]),
      pages_a_sequence_(call.args[first + 2].dims[1]), cache_dims_(std::move(cache_dims)) {}

int64_t PageTable::page_of(size_t token, int64_t position) const {
    return pages_[static_cast<size_t>(seqs_[token] * pages_a_sequence_ + position / cache_dims_[2])];
}

void PageTable::require(size_t token, int64_t position) const {
    const int64_t seq = seqs_[token];
    if (seq < 0 || seq >= sequences_)
        call_.fail(fmt::format("token {} is of sequence {} of {}", token, seq, sequences_));
    if (position < 0 || position / cache_dims_[2] >= pages_a_sequence_)
        call_.fail(fmt::format("token {} is at position {}; a sequence has {} pages of {}", token, position,
                               pages_a_sequence_, cache_dims_[2]));
    if (const int64_t page = page_of(token, position); page < 0 || page >= cache_dims_[0])
        call_.fail(fmt::format("position {} of sequence {} is on page {} of {}", position, seq, page,
                               cache_dims_[0]));
}

size_t PageTable::longest() const {
    return positions_.empty()
               ? 0
               : static_cast<size_t>(*std::max_element(positions_.begin(), positions_.end())) + 1;
}

size_t PageTable::element(size_t token, int64_t position, int64_t head) const {
    const int64_t row =
        (page_of(token, position) * cache_dims_[1] + head) * cache_dims_[2] + position % cache_dims_[2];
    return static_cast<size_t>(row * cache_dims_[3]);
}

} // namespace ingot::ir
