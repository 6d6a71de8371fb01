#include "runtime/text/bpe.h"

#include "runtime/text/byte_level.h"
#include "runtime/text/utf8.h"

#include <algorithm>
#include <functional>
#include <string>

namespace ingot::runtime {
namespace {

// Below this length, finding the best pair by looking at all of them is faster than keeping a heap.
constexpr std::size_t short_word = 32;

constexpr std::uint32_t none = UINT32_MAX;

// Control and unknown tokens have names, not texts: no word becomes one.
bool is_text(TokenType type) {
    return type != TokenType::control && type != TokenType::unknown;
}

} // namespace

struct Bpe::Scratch {
    std::vector<std::int32_t> symbols;
    std::vector<Merge> merges;        // at i: what symbol i and its right neighbour become
    std::vector<std::uint32_t> left;  // index of the neighbours that are still there
    std::vector<std::uint32_t> right; // likewise
    std::vector<std::uint64_t> heap;  // rank << 32 | index, smallest first
};

Bpe::Bpe(const Vocabulary& vocabulary, const TokenIndex& index)
    : vocabulary_(&vocabulary), index_(&index), merges_(vocabulary.merges.size()), unknown_(vocabulary.unk),
      pretokenizer_(pretokenizer_named(vocabulary.pre)),
      whole_words_first_(pretokenizer_ == PreTokenizer::llama3) {
    for (std::size_t byte = 0; byte < byte_ids_.size(); ++byte) {
        std::string text;
        append_utf8(text, byte_level_char(static_cast<unsigned char>(byte)));
        byte_ids_[byte] = index.find(text);
    }
    std::string joined;
    for (std::size_t rank = 0; rank < vocabulary.merges.size(); ++rank) {
        const std::string_view merge = vocabulary.merges[rank];
        const std::size_t space = merge.find(' ');
        const std::string_view first = merge.substr(0, space);
        const std::string_view second = merge.substr(space + 1);
        joined.assign(first).append(second);
        const std::int32_t left = index.find(first);
        const std::int32_t right = index.find(second);
        const std::int32_t id = index.find(joined);
        if (left < 0 || right < 0 || id < 0 || !is_text(type_of(vocabulary, id))) continue;
        merges_.add(left, right, {.rank = static_cast<std::uint32_t>(rank), .id = id});
    }
}

void Bpe::encode(std::string_view text, std::vector<std::int32_t>& ids) const {
    std::vector<std::size_t> ends;
    pretokenize(pretokenizer_, text, ends);
    Scratch scratch;
    std::size_t start = 0;
    for (const std::size_t end : ends) {
        encode_word(text.substr(start, end - start), scratch, ids);
        start = end;
    }
}

void Bpe::encode_word(std::string_view word, Scratch& scratch, std::vector<std::int32_t>& ids) const {
    if (whole_words_first_ && word.size() <= index_->longest()) {
        const std::int32_t id = index_->find(to_byte_level(word));
        if (id >= 0 && is_text(type_of(*vocabulary_, id))) {
            ids.push_back(id);
            return;
        }
    }
    std::vector<std::int32_t>& symbols = scratch.symbols;
    symbols.clear();
    for (const char byte : word) {
        symbols.push_back(byte_ids_[static_cast<unsigned char>(byte)]);
    }
    if (symbols.size() <= short_word) {
        merge_short(symbols, scratch);
    } else {
        merge_long(symbols, scratch);
    }
    for (const std::int32_t id : symbols) {
        if (id >= 0) {
            ids.push_back(id);
        } else if (unknown_ >= 0) {
            ids.push_back(unknown_);
        }
    }
}

void Bpe::merge_short(std::vector<std::int32_t>& symbols, Scratch& scratch) const {
    std::vector<Merge>& merges = scratch.merges;
    merges.clear();
    for (std::size_t i = 0; i + 1 < symbols.size(); ++i) {
        merges.push_back(merges_.find(symbols[i], symbols[i + 1]));
    }
    while (!merges.empty()) {
        const auto best = std::ranges::min_element(merges, {}, &Merge::rank);
        if (!*best) break;
        const auto at = static_cast<std::size_t>(best - merges.begin());
        symbols[at] = best->id;
        symbols.erase(symbols.begin() + static_cast<std::ptrdiff_t>(at) + 1);
        merges.erase(best);
        if (at < merges.size()) merges[at] = merges_.find(symbols[at], symbols[at + 1]);
        if (at > 0) merges[at - 1] = merges_.find(symbols[at - 1], symbols[at]);
    }
}

void Bpe::merge_long(std::vector<std::int32_t>& symbols, Scratch& scratch) const {
    const auto count = static_cast<std::uint32_t>(symbols.size());
    auto& [unused, merges, left, right, heap] = scratch;
    merges.assign(count, Merge{});
    left.resize(count);
    right.resize(count);
    heap.clear();
    for (std::uint32_t i = 0; i < count; ++i) {
        left[i] = i == 0 ? none : i - 1;
        right[i] = i + 1 == count ? none : i + 1;
    }
    // An entry of the heap is stale, and skipped, when its symbol has meanwhile another merge to its right:
    // equal ranks mean equal pairs.
    const auto consider = [&](std::uint32_t i) {
        merges[i] = right[i] == none ? Merge{} : merges_.find(symbols[i], symbols[right[i]]);
        if (merges[i]) heap.push_back((static_cast<std::uint64_t>(merges[i].rank) << 32) | i);
        return static_cast<bool>(merges[i]);
    };
    for (std::uint32_t i = 0; i < count; ++i) {
        consider(i);
    }
    std::ranges::make_heap(heap, std::greater{});
    while (!heap.empty()) {
        std::ranges::pop_heap(heap, std::greater{});
        const auto rank = static_cast<std::uint32_t>(heap.back() >> 32);
        const auto i = static_cast<std::uint32_t>(heap.back());
        heap.pop_back();
        if (!merges[i] || merges[i].rank != rank) continue;
        const std::uint32_t gone = right[i];
        symbols[i] = merges[i].id;
        merges[gone] = {};
        right[i] = right[gone];
        if (right[i] != none) left[right[i]] = i;
        if (consider(i)) std::ranges::push_heap(heap, std::greater{});
        if (left[i] != none && consider(left[i])) std::ranges::push_heap(heap, std::greater{});
    }
    // Index 0 is never the right part of a merge, so the list starts there.
    std::size_t kept = 0;
    for (std::uint32_t i = 0; i != none; i = right[i]) {
        symbols[kept++] = symbols[i];
    }
    symbols.resize(kept);
}

} // namespace ingot::runtime
