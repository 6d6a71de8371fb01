// SentencePiece's BPE model (Kudo and Richardson 2018): a text starts as its characters, spaces written as
// U+2581, and the adjacent pair whose joined token has the highest score, leftmost first, merges until none
// is left. Characters without a token become their bytes' tokens.
#pragma once

#include "runtime/text/token_index.h"
#include "runtime/text/vocabulary.h"

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace ingot::runtime {

// U+2581 LOWER ONE EIGHTH BLOCK, which stands for a space.
inline constexpr std::string_view spm_space = "\xE2\x96\x81";

class Spm {
  public:
    // `vocabulary` and `index` must outlive it.
    Spm(const Vocabulary& vocabulary, const TokenIndex& index);

    // Appends the tokens of `text`, after a space where `prefix` says so. O(n log n). A character that has
    // neither a token nor byte tokens becomes the unknown token, or nothing where there is none.
    void encode(std::string_view text, bool prefix, std::vector<std::int32_t>& ids) const;

  private:
    std::int32_t find(std::string_view text) const;
    void append_bytes(std::string_view character, std::vector<std::int32_t>& ids) const;

    const Vocabulary* vocabulary_;
    const TokenIndex* index_;
    std::array<std::int32_t, 256> byte_ids_{};
};

} // namespace ingot::runtime
