#include "runtime/kv_cache.h"

#include "runtime/error.h"

#include <algorithm>
#include <cstdio>
#include <cstdlib>

#include <fmt/format.h>

namespace ingot::runtime {
namespace {

constexpr const char* where = "KV cache";

[[noreturn]] void broken(const char* invariant) {
    std::fprintf(stderr, "ingot: broken invariant of the KV cache: %s\n", invariant);
    std::abort();
}

} // namespace

KvCache::KvCache(const KvShape& shape, std::span<std::int32_t> table, CopyPage copy_page, bool keep_prefixes)
    : shape_(shape), table_(table), copy_page_(std::move(copy_page)), keep_prefixes_(keep_prefixes),
      sequences_(shape.max_sequences), references_(shape.pages, 0),
      ids_(std::size_t{shape.pages} * shape.page_positions), prefixes_(shape.pages, shape.page_positions) {
    if (table.size() != std::size_t{shape.max_sequences} * shape.max_pages_per_sequence)
        throw Error(Code::invalid_argument, where, "the page table has another size than the cache's shape");
    std::ranges::fill(table_, 0);
    unused_.reserve(shape.pages);
    for (std::uint32_t page = shape.pages; page > 0; --page)
        unused_.push_back(page - 1);
}

SequenceId KvCache::open() {
    for (std::uint32_t slot = 0; slot < sequences_.size(); ++slot) {
        Sequence& s = sequences_[slot];
        if (s.open) continue;
        s = {.generation = s.generation + 1, .open = true, .length = 0};
        ++open_count_;
        return static_cast<SequenceId>((std::uint64_t{s.generation} << 32) | slot);
    }
    throw Error(Code::out_of_memory, where, fmt::format("all {} sequences are open", sequences_.size()));
}

SequenceId KvCache::fork(SequenceId sequence) {
    const std::uint32_t from = find(sequence);
    const SequenceId copy = open();
    const std::uint32_t to = find(copy);
    sequences_[to].length = sequences_[from].length;
    const std::uint32_t pages = pages_for(sequences_[from].length);
    for (std::uint32_t i = 0; i < pages; ++i) {
        row(to)[i] = row(from)[i];
        hold_page(page_of(to, i));
    }
    changed_ = true;
    return copy;
}

void KvCache::close(SequenceId sequence) {
    const std::uint32_t slot = find(sequence);
    drop_pages_from(slot, 0);
    sequences_[slot].open = false;
    sequences_[slot].length = 0;
    --open_count_;
}

void KvCache::append(SequenceId sequence, std::span<const std::int32_t> ids) {
    const std::uint32_t slot = find(sequence);
    Sequence& s = sequences_[slot];
    if (ids.size() > shape_.context - s.length) {
        throw Error(Code::invalid_argument, where,
                    fmt::format("{} positions and {} more don't fit into a context of {}", s.length,
                                ids.size(), shape_.context));
    }
    if (ids.empty()) return;
    const auto count = static_cast<std::uint32_t>(ids.size());
    const std::uint32_t used = s.length % shape_.page_positions;
    const bool shared = used != 0 && references_[page_of(slot, s.length / shape_.page_positions)] > 1;
    const std::uint32_t wanted = pages_for(s.length + count) - pages_for(s.length) + (shared ? 1 : 0);
    if (wanted > free_pages()) {
        throw Error(Code::out_of_memory, where,
                    fmt::format("{} pages wanted and {} free; free a sequence, or compile with a larger "
                                "--context",
                                wanted, free_pages()));
    }
    if (used != 0) own_last_page(slot);
    for (const std::int32_t id : ids) {
        const std::uint32_t index = s.length / shape_.page_positions;
        const std::uint32_t at = s.length % shape_.page_positions;
        if (at == 0) {
            row(slot)[index] = static_cast<std::int32_t>(take_page());
            changed_ = true;
        }
        ids_of(page_of(slot, index))[at] = id;
        ++s.length;
        if (at + 1 == shape_.page_positions) keep_full_page(slot, index);
    }
}

void KvCache::truncate(SequenceId sequence, std::uint32_t length) {
    const std::uint32_t slot = find(sequence);
    if (length > sequences_[slot].length) {
        throw Error(
            Code::invalid_argument, where,
            fmt::format("a sequence of {} positions can't be cut to {}", sequences_[slot].length, length));
    }
    drop_pages_from(slot, pages_for(length));
    sequences_[slot].length = length;
}

void KvCache::retract(SequenceId sequence, std::uint32_t length) {
    const std::uint32_t slot = find(sequence);
    const std::uint32_t before = sequences_[slot].length;
    // Pages that were entered into have no other owner, who might have computed them.
    if (length < before)
        for (std::uint32_t i = length / shape_.page_positions; i < pages_for(before); ++i)
            prefixes_.forget(page_of(slot, i));
    truncate(sequence, length);
}

std::uint32_t KvCache::reuse_prefix(SequenceId sequence, std::span<const std::int32_t> ids) {
    const std::uint32_t slot = find(sequence);
    if (sequences_[slot].length != 0 || !keep_prefixes_) return 0;
    const std::size_t most = std::min<std::size_t>(ids.size(), shape_.context);
    std::uint64_t before = PrefixCache::no_stamp;
    std::uint32_t pages = 0;
    // At least one id is left, because its logits are wanted.
    while ((std::size_t{pages} + 1) * shape_.page_positions < most) {
        const std::uint32_t page = prefixes_.find(
            before, ids.subspan(std::size_t{pages} * shape_.page_positions, shape_.page_positions));
        if (page == PrefixCache::no_page) break;
        hold_page(page);
        row(slot)[pages++] = static_cast<std::int32_t>(page);
        before = prefixes_.stamp(page);
    }
    if (pages > 0) changed_ = true;
    return sequences_[slot].length = pages * shape_.page_positions;
}

std::uint32_t KvCache::length(SequenceId sequence) const {
    return sequences_[find(sequence)].length;
}

std::uint32_t KvCache::slot(SequenceId sequence) const {
    return find(sequence);
}

std::uint32_t KvCache::free_pages() const {
    return static_cast<std::uint32_t>(unused_.size()) + prefixes_.idle_pages();
}

bool KvCache::table_changed() {
    return std::exchange(changed_, false);
}

std::uint32_t KvCache::find(SequenceId sequence) const {
    const auto number = static_cast<std::uint64_t>(sequence);
    const auto slot = static_cast<std::uint32_t>(number & UINT32_MAX);
    if (slot >= sequences_.size() || !sequences_[slot].open || sequences_[slot].generation != number >> 32)
        throw Error(Code::invalid_argument, where, fmt::format("sequence {:#x} is not open", number));
    return slot;
}

std::span<std::int32_t> KvCache::row(std::uint32_t slot) {
    return table_.subspan(std::size_t{slot} * shape_.max_pages_per_sequence, shape_.max_pages_per_sequence);
}

std::span<const std::int32_t> KvCache::row(std::uint32_t slot) const {
    return table_.subspan(std::size_t{slot} * shape_.max_pages_per_sequence, shape_.max_pages_per_sequence);
}

std::uint32_t KvCache::page_of(std::uint32_t slot, std::uint32_t index) const {
    return static_cast<std::uint32_t>(row(slot)[index]);
}

std::span<std::int32_t> KvCache::ids_of(std::uint32_t page) {
    return std::span(ids_).subspan(std::size_t{page} * shape_.page_positions, shape_.page_positions);
}

std::uint32_t KvCache::pages_for(std::uint32_t positions) const {
    return positions / shape_.page_positions + (positions % shape_.page_positions != 0 ? 1 : 0);
}

// One with no owner; the caller has seen to it that there is one.
std::uint32_t KvCache::take_page() {
    std::uint32_t page = PrefixCache::no_page;
    if (!unused_.empty()) {
        page = unused_.back();
        unused_.pop_back();
    } else {
        page = prefixes_.evict();
        if (page == PrefixCache::no_page) broken("a page was counted as free and is not there");
    }
    references_[page] = 1;
    return page;
}

void KvCache::hold_page(std::uint32_t page) {
    if (references_[page]++ == 0) prefixes_.set_busy(page);
}

void KvCache::drop_page(std::uint32_t page) {
    if (--references_[page] != 0) return;
    if (prefixes_.is_kept(page)) {
        prefixes_.set_idle(page);
    } else {
        prefixes_.forget(page);
        unused_.push_back(page);
    }
}

// Later pages first: a page is found only through the one before it, so that one should be evicted last.
void KvCache::drop_pages_from(std::uint32_t slot, std::uint32_t index) {
    for (std::uint32_t i = pages_for(sequences_[slot].length); i > index; --i) {
        drop_page(page_of(slot, i - 1));
        row(slot)[i - 1] = 0;
        changed_ = true;
    }
}

// Before something is written behind what the last page holds: nobody else may see it.
void KvCache::own_last_page(std::uint32_t slot) {
    const std::uint32_t index = sequences_[slot].length / shape_.page_positions;
    const std::uint32_t page = page_of(slot, index);
    if (references_[page] == 1) {
        prefixes_.forget(page);
        return;
    }
    const std::uint32_t copy = take_page();
    copy_page_(copy, page);
    std::ranges::copy(ids_of(page), ids_of(copy).begin());
    drop_page(page);
    row(slot)[index] = static_cast<std::int32_t>(copy);
    changed_ = true;
}

void KvCache::keep_full_page(std::uint32_t slot, std::uint32_t index) {
    if (!keep_prefixes_) return;
    const std::uint64_t before =
        index == 0 ? PrefixCache::no_stamp : prefixes_.stamp(page_of(slot, index - 1));
    const std::uint32_t page = page_of(slot, index);
    prefixes_.keep(page, before, ids_of(page));
}

void KvCache::check() const {
    std::vector<std::uint32_t> counted(shape_.pages, 0);
    std::uint32_t open_now = 0;
    for (std::uint32_t slot = 0; slot < sequences_.size(); ++slot) {
        const Sequence& s = sequences_[slot];
        if (!s.open && s.length != 0) broken("a closed sequence has no positions");
        open_now += s.open ? 1 : 0;
        const std::uint32_t pages = pages_for(s.length);
        for (std::uint32_t i = 0; i < shape_.max_pages_per_sequence; ++i) {
            if (i < pages)
                ++counted.at(page_of(slot, i));
            else if (row(slot)[i] != 0)
                broken("entries without a page are 0");
        }
    }
    if (open_now != open_count_) broken("open sequences are counted");
    if (counted != references_) broken("a page's references are the sequences that hold it");
    std::uint32_t idle = 0;
    for (std::uint32_t page = 0; page < shape_.pages; ++page)
        idle += references_[page] == 0 && prefixes_.is_kept(page) ? 1 : 0;
    if (idle != prefixes_.idle_pages()) broken("a kept page that nobody holds is idle");
    for (const std::uint32_t page : unused_)
        if (references_[page] != 0 || prefixes_.is_kept(page)) broken("an unused page has no owner");
    const auto held = static_cast<std::size_t>(std::ranges::count_if(counted, [](auto n) { return n > 0; }));
    if (held + idle + unused_.size() != shape_.pages) broken("every page is held, idle or unused");
}

} // namespace ingot::runtime
