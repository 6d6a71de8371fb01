// Finding the vocabulary's special tokens in a text, before anything else is done with it.
#pragma once

#include "runtime/text/vocabulary.h"

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>
#include <utility>
#include <vector>

namespace ingot::runtime {

// Where control tokens may be recognised in a text: everywhere but in the ranges given.
class ControlRanges {
  public:
    // [begin, end) in bytes, rising and apart.
    void exclude(std::size_t begin, std::size_t end);
    // The end of the allowed range that `position` lies in, or `position` where none.
    std::size_t allowed_until(std::size_t position) const;

  private:
    std::vector<std::pair<std::size_t, std::size_t>> excluded_;
};

// A piece of a text: a special token, or plain text where `id` is negative.
struct TextPart {
    std::size_t begin;
    std::size_t end;
    std::int32_t id = -1;
};

class SpecialTokens {
  public:
    SpecialTokens() = default;
    // Keeps views of the vocabulary's texts, whose owner must outlive it.
    explicit SpecialTokens(const Vocabulary& vocabulary);

    // Cuts `text` at its special tokens: user-defined ones anywhere, control and unknown ones where `control`
    // allows. Where two overlap the longer wins, then the one on the left: the outcome of llama.cpp, which
    // cuts by one token after the other, longest first. Parts are in order and never empty.
    std::vector<TextPart> partition(std::string_view text, const ControlRanges& control) const;

  private:
    struct Entry {
        std::string_view text;
        std::int32_t id;
        bool user_defined;
    };
    struct Match {
        std::size_t length = 0; // 0: no match
        std::int32_t id = -1;
    };
    Match longest_at(std::string_view text, std::size_t position, std::size_t most,
                     const ControlRanges& control) const;

    std::vector<Entry> entries_; // sorted by text
    std::array<bool, 256> first_bytes_{};
};

} // namespace ingot::runtime
