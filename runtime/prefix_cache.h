// Full pages of the KV cache that are kept by what they hold, so that a prompt can start behind its longest
// known beginning.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace ingot::runtime {

// A page is known by the stamp of the page before it and by its own ids. Stamps are never given twice, so two
// pages are taken for equal only where all ids up to their ends are: no hash is trusted. Takes all its memory
// when it is made.
class PrefixCache {
  public:
    static constexpr std::uint32_t no_page = UINT32_MAX;
    static constexpr std::uint64_t no_stamp = 0; // what is before the first page

    PrefixCache(std::uint32_t pages, std::uint32_t page_positions);

    // The kept page with these ids behind the page of stamp `before`, or no_page.
    std::uint32_t find(std::uint64_t before, std::span<const std::int32_t> ids) const;
    // Keeps `page`, which is in use. Where another page of the same content is kept already, only its stamp
    // is taken over. Returns whether `page` is kept.
    bool keep(std::uint32_t page, std::uint64_t before, std::span<const std::int32_t> ids);
    // Of a page that keep() was called with since it was last forgotten.
    std::uint64_t stamp(std::uint32_t page) const { return entries_[page].stamp; }
    bool is_kept(std::uint32_t page) const { return entries_[page].kept; }
    // The content of the page is about to change.
    void forget(std::uint32_t page);

    // A kept page that no sequence holds is idle and may be evicted, the one that became idle first before
    // others.
    void set_idle(std::uint32_t page);
    void set_busy(std::uint32_t page);
    std::uint32_t idle_pages() const { return idle_count_; }
    // Forgets the page that has been idle longest and returns it; no_page where none is idle.
    std::uint32_t evict();

  private:
    struct Entry {
        std::uint64_t stamp = no_stamp;
        std::uint64_t before = no_stamp;
        std::uint32_t next_in_bucket = no_page;
        std::uint32_t newer = no_page; // idle pages are a list from the oldest to the newest
        std::uint32_t older = no_page;
        bool kept = false;
        bool idle = false;
    };
    std::uint32_t bucket_of(std::uint64_t before, std::span<const std::int32_t> ids) const;
    std::span<const std::int32_t> ids_of(std::uint32_t page) const;

    std::uint32_t page_positions_;
    std::vector<Entry> entries_;         // by page
    std::vector<std::int32_t> ids_;      // by page, of kept ones
    std::vector<std::uint32_t> buckets_; // first page of each, or no_page; a power of two of them
    std::uint64_t last_stamp_ = no_stamp;
    std::uint32_t oldest_ = no_page;
    std::uint32_t newest_ = no_page;
    std::uint32_t idle_count_ = 0;
};

} // namespace ingot::runtime
