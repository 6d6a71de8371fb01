#include "runtime/prefix_cache.h"

#include <algorithm>
#include <bit>

#include <xxhash.h>

namespace ingot::runtime {

PrefixCache::PrefixCache(std::uint32_t pages, std::uint32_t page_positions)
    : page_positions_(page_positions), entries_(pages), ids_(std::size_t{pages} * page_positions),
      buckets_(std::bit_ceil(std::size_t{pages} + 1), no_page) {}

std::uint32_t PrefixCache::bucket_of(std::uint64_t before, std::span<const std::int32_t> ids) const {
    const std::uint64_t hash = XXH3_64bits_withSeed(ids.data(), ids.size_bytes(), before);
    return static_cast<std::uint32_t>(hash & (buckets_.size() - 1));
}

std::span<const std::int32_t> PrefixCache::ids_of(std::uint32_t page) const {
    return std::span(ids_).subspan(std::size_t{page} * page_positions_, page_positions_);
}

std::uint32_t PrefixCache::find(std::uint64_t before, std::span<const std::int32_t> ids) const {
    std::uint32_t page = buckets_[bucket_of(before, ids)];
    for (; page != no_page; page = entries_[page].next_in_bucket) {
        if (entries_[page].before == before && std::ranges::equal(ids_of(page), ids)) break;
    }
    return page;
}

bool PrefixCache::keep(std::uint32_t page, std::uint64_t before, std::span<const std::int32_t> ids) {
    Entry& entry = entries_[page];
    const std::uint32_t known = find(before, ids);
    if (known != no_page) {
        entry.stamp = entries_[known].stamp;
        return known == page;
    }
    std::ranges::copy(ids, ids_.begin() + static_cast<std::ptrdiff_t>(page) * page_positions_);
    std::uint32_t& first = buckets_[bucket_of(before, ids)];
    entry = {.stamp = ++last_stamp_, .before = before, .next_in_bucket = first, .kept = true};
    first = page;
    return true;
}

void PrefixCache::forget(std::uint32_t page) {
    Entry& entry = entries_[page];
    if (entry.idle) set_busy(page);
    if (entry.kept) {
        std::uint32_t* link = &buckets_[bucket_of(entry.before, ids_of(page))];
        while (*link != page)
            link = &entries_[*link].next_in_bucket;
        *link = entry.next_in_bucket;
    }
    entry = {};
}

void PrefixCache::set_idle(std::uint32_t page) {
    Entry& entry = entries_[page];
    entry.idle = true;
    entry.older = newest_;
    entry.newer = no_page;
    (newest_ == no_page ? oldest_ : entries_[newest_].newer) = page;
    newest_ = page;
    ++idle_count_;
}

void PrefixCache::set_busy(std::uint32_t page) {
    Entry& entry = entries_[page];
    (entry.older == no_page ? oldest_ : entries_[entry.older].newer) = entry.newer;
    (entry.newer == no_page ? newest_ : entries_[entry.newer].older) = entry.older;
    entry.idle = false;
    entry.older = entry.newer = no_page;
    --idle_count_;
}

std::uint32_t PrefixCache::evict() {
    const std::uint32_t page = oldest_;
    if (page != no_page) forget(page);
    return page;
}

} // namespace ingot::runtime
