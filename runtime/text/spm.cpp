#include "runtime/text/spm.h"

#include "runtime/text/byte_token.h"
#include "runtime/text/utf8.h"

#include <algorithm>

namespace ingot::runtime {
namespace {

constexpr std::uint32_t none = UINT32_MAX;

struct Symbol {
    std::uint32_t begin;
    std::uint32_t length; // in bytes; 0 once merged into a symbol to the left
    std::uint32_t left;
    std::uint32_t right;
};

// A possible merge of the symbol `left` and its right neighbour. It is stale, and skipped, when the two no
// longer cover `length` bytes.
struct Candidate {
    float score;
    std::uint32_t left;
    std::uint32_t length;
};

bool later(const Candidate& a, const Candidate& b) {
    return a.score < b.score || (a.score == b.score && a.left > b.left);
}

std::string with_visible_spaces(std::string_view text, bool prefix) {
    std::string out;
    out.reserve(text.size() * 3 / 2);
    if (prefix) out += spm_space;
    for (const char byte : text) {
        if (byte == ' ') {
            out += spm_space;
        } else {
            out.push_back(byte);
        }
    }
    return out;
}

std::vector<Symbol> characters_of(std::string_view text) {
    std::vector<Symbol> symbols;
    for (std::size_t at = 0; at < text.size();) {
        const std::uint8_t length = decode_utf8(text.substr(at)).length;
        const auto i = static_cast<std::uint32_t>(symbols.size());
        symbols.push_back({.begin = static_cast<std::uint32_t>(at),
                           .length = length,
                           .left = i == 0 ? none : i - 1,
                           .right = i + 1});
        at += length;
    }
    if (!symbols.empty()) symbols.back().right = none;
    return symbols;
}

} // namespace

Spm::Spm(const Vocabulary& vocabulary, const TokenIndex& index) : vocabulary_(&vocabulary), index_(&index) {
    byte_ids_.fill(TokenIndex::absent);
    for (std::size_t id = 0; id < vocabulary.tokens.size(); ++id) {
        if (type_of(vocabulary, static_cast<std::int32_t>(id)) != TokenType::byte) continue;
        const auto byte = byte_of_token(vocabulary.tokens[id]);
        if (byte) byte_ids_[*byte] = static_cast<std::int32_t>(id);
    }
}

// Control, unknown and byte tokens have names, not texts: the characters "</s>" never merge into them.
std::int32_t Spm::find(std::string_view text) const {
    const std::int32_t id = index_->find(text);
    if (id < 0) return TokenIndex::absent;
    const TokenType type = type_of(*vocabulary_, id);
    const bool name = type == TokenType::control || type == TokenType::unknown || type == TokenType::byte;
    return name ? TokenIndex::absent : id;
}

void Spm::append_bytes(std::string_view character, std::vector<std::int32_t>& ids) const {
    const auto id_of = [&](char byte) { return byte_ids_[static_cast<unsigned char>(byte)]; };
    if (std::ranges::any_of(character, [&](char byte) { return id_of(byte) < 0; })) {
        if (vocabulary_->unk >= 0) ids.push_back(vocabulary_->unk);
        return;
    }
    for (const char byte : character) {
        ids.push_back(id_of(byte));
    }
}

void Spm::encode(std::string_view text, bool prefix, std::vector<std::int32_t>& ids) const {
    const std::string spaced = with_visible_spaces(text, prefix);
    const std::string_view view = spaced;
    std::vector<Symbol> symbols = characters_of(view);
    std::vector<Candidate> heap;
    const auto consider = [&](std::uint32_t left) {
        if (left == none || symbols[left].right == none) return;
        const std::uint32_t length = symbols[left].length + symbols[symbols[left].right].length;
        const std::int32_t id = find(view.substr(symbols[left].begin, length));
        if (id < 0) return;
        const float score = vocabulary_->scores[static_cast<std::size_t>(id)];
        heap.push_back({.score = score, .left = left, .length = length});
        std::ranges::push_heap(heap, later);
    };
    for (std::uint32_t i = 0; i < symbols.size(); ++i) {
        consider(i);
    }
    while (!heap.empty()) {
        std::ranges::pop_heap(heap, later);
        const Candidate best = heap.back();
        heap.pop_back();
        Symbol& left = symbols[best.left];
        if (left.length == 0 || left.right == none) continue;
        Symbol& right = symbols[left.right];
        if (left.length + right.length != best.length) continue;
        left.length = best.length;
        right.length = 0;
        left.right = right.right;
        if (left.right != none) symbols[left.right].left = best.left;
        consider(left.left);
        consider(best.left);
    }
    for (std::uint32_t i = symbols.empty() ? none : 0; i != none; i = symbols[i].right) {
        const std::string_view symbol = view.substr(symbols[i].begin, symbols[i].length);
        const std::int32_t id = find(symbol);
        if (id >= 0) {
            ids.push_back(id);
        } else {
            append_bytes(symbol, ids);
        }
    }
}

} // namespace ingot::runtime
