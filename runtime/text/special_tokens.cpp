#include "runtime/text/special_tokens.h"

#include <algorithm>
#include <limits>

namespace ingot::runtime {
namespace {

constexpr std::size_t unlimited = std::numeric_limits<std::size_t>::max();

struct Candidate {
    std::size_t length;
    std::size_t begin;
    std::int32_t id;
};

bool later(const Candidate& a, const Candidate& b) {
    return a.length < b.length || (a.length == b.length && a.begin > b.begin);
}

} // namespace

void ControlRanges::exclude(std::size_t begin, std::size_t end) {
    if (begin < end) excluded_.emplace_back(begin, end);
}

std::size_t ControlRanges::allowed_until(std::size_t position) const {
    const auto after =
        std::ranges::upper_bound(excluded_, position, {}, [](const auto& r) { return r.first; });
    if (after != excluded_.begin() && std::prev(after)->second > position) return position;
    return after == excluded_.end() ? unlimited : after->first;
}

SpecialTokens::SpecialTokens(const Vocabulary& vocabulary) {
    for (std::size_t i = 0; i < vocabulary.tokens.size(); ++i) {
        const auto id = static_cast<std::int32_t>(i);
        const TokenType type = type_of(vocabulary, id);
        const bool user_defined = type == TokenType::user_defined;
        if (!user_defined && type != TokenType::control && type != TokenType::unknown) continue;
        if (vocabulary.tokens[i].empty()) continue;
        entries_.push_back({.text = vocabulary.tokens[i], .id = id, .user_defined = user_defined});
        first_bytes_[static_cast<unsigned char>(vocabulary.tokens[i][0])] = true;
    }
    std::ranges::stable_sort(entries_, {}, &Entry::text);
}

SpecialTokens::Match SpecialTokens::longest_at(std::string_view text, std::size_t position, std::size_t most,
                                               const ControlRanges& control) const {
    const std::size_t allowed = control.allowed_until(position);
    const std::size_t room = std::min(text.size() - position, most);
    Match best;
    auto low = entries_.begin();
    auto high = entries_.end();
    // Every entry in [low, high) starts with the `depth` bytes read so far.
    for (std::size_t depth = 0; depth < room; ++depth) {
        const auto byte = static_cast<unsigned char>(text[position + depth]);
        const auto byte_at = [&](const Entry& e) {
            return e.text.size() <= depth ? -1 : int{static_cast<unsigned char>(e.text[depth])};
        };
        low = std::ranges::lower_bound(low, high, int{byte}, {}, byte_at);
        high = std::ranges::upper_bound(low, high, int{byte}, {}, byte_at);
        if (low == high) break;
        for (auto entry = low; entry != high && entry->text.size() == depth + 1; ++entry) {
            const bool inside = position + depth + 1 <= allowed;
            if (entry->user_defined || inside) best = {.length = depth + 1, .id = entry->id};
        }
    }
    return best;
}

std::vector<TextPart> SpecialTokens::partition(std::string_view text, const ControlRanges& control) const {
    std::vector<Candidate> heap;
    for (std::size_t i = 0; i < text.size(); ++i) {
        if (!first_bytes_[static_cast<unsigned char>(text[i])]) continue;
        const Match match = longest_at(text, i, unlimited, control);
        if (match.length > 0) heap.push_back({.length = match.length, .begin = i, .id = match.id});
    }
    std::ranges::make_heap(heap, later);
    std::vector<TextPart> parts;
    std::vector<bool> taken(heap.empty() ? 0 : text.size());
    while (!heap.empty()) {
        std::ranges::pop_heap(heap, later);
        const Candidate next = heap.back();
        heap.pop_back();
        if (taken[next.begin]) continue;
        const std::size_t end = next.begin + next.length;
        // Nothing taken is shorter than `next`, so an overlap shows at one of its ends.
        if (taken[end - 1]) {
            const Match shorter = longest_at(text, next.begin, next.length - 1, control);
            if (shorter.length == 0) continue;
            heap.push_back({.length = shorter.length, .begin = next.begin, .id = shorter.id});
            std::ranges::push_heap(heap, later);
            continue;
        }
        std::fill_n(taken.begin() + static_cast<std::ptrdiff_t>(next.begin), next.length, true);
        parts.push_back({.begin = next.begin, .end = end, .id = next.id});
    }
    std::ranges::sort(parts, {}, &TextPart::begin);
    std::vector<TextPart> all;
    std::size_t at = 0;
    for (const TextPart& part : parts) {
        if (part.begin > at) all.push_back({.begin = at, .end = part.begin});
        all.push_back(part);
        at = part.end;
    }
    if (at < text.size()) all.push_back({.begin = at, .end = text.size()});
    return all;
}

} // namespace ingot::runtime
