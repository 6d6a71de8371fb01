// Byte-level byte-pair encoding (Sennrich et al. 2016; Radford et al. 2019): a text is cut into words, each
// word starts as its bytes, and the adjacent pair of lowest rank, leftmost first, merges until none is left.
#pragma once

#include "runtime/text/merge_table.h"
#include "runtime/text/pretokenize.h"
#include "runtime/text/token_index.h"
#include "runtime/text/vocabulary.h"

#include <array>
#include <cstdint>
#include <string_view>
#include <vector>

namespace ingot::runtime {

class Bpe {
  public:
    // `vocabulary` (but for its merges) and `index` must outlive it. Merges whose parts or result are not
    // tokens are left out: they could never lead to a token.
    Bpe(const Vocabulary& vocabulary, const TokenIndex& index);

    // Appends the tokens of `text`. O(n log n) in the longest word. Bytes that the vocabulary lacks become
    // its unknown token, or nothing where it has none.
    void encode(std::string_view text, std::vector<std::int32_t>& ids) const;

  private:
    // Buffers that every word of one text uses again.
    struct Scratch;
    void encode_word(std::string_view word, Scratch& scratch, std::vector<std::int32_t>& ids) const;
    void merge_short(std::vector<std::int32_t>& symbols, Scratch& scratch) const;
    void merge_long(std::vector<std::int32_t>& symbols, Scratch& scratch) const;

    const Vocabulary* vocabulary_;
    const TokenIndex* index_;
    MergeTable merges_;
    std::array<std::int32_t, 256> byte_ids_{};
    std::int32_t unknown_;
    PreTokenizer pretokenizer_;
    // Llama 3's vocabulary has words that no sequence of merges reaches, so whole words are looked up first.
    bool whole_words_first_;
};

} // namespace ingot::runtime
