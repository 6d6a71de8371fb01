// Text to token ids and back.
#pragma once

#include "runtime/text/text_segment.h"
#include "runtime/text/utf8.h"
#include "runtime/text/vocabulary.h"

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace ingot::runtime {

struct EncodeOptions {
    bool add_special = true;   // BOS before and EOS after, where the vocabulary says so
    bool parse_special = true; // control tokens written out in the text become their ids
};

struct DecodeOptions {
    bool special = false; // control tokens are written out; otherwise they give no text
    // The ids start a text: the space that encoding put in front is taken away again (spm). False for ids
    // that go on from others.
    bool at_start = true;
};

// Immutable once made, so threads may share one. Encoding is bounded by O(n log n) in the text.
class Tokenizer {
  public:
    // Throws what validate(vocabulary) throws.
    explicit Tokenizer(Vocabulary vocabulary);
    ~Tokenizer();
    Tokenizer(Tokenizer&&) noexcept;
    Tokenizer& operator=(Tokenizer&&) noexcept;

    // The vocabulary it was made from, without `merges` (and, for bpe, `scores`), which it needs no more.
    const Vocabulary& vocabulary() const;
    std::size_t size() const;

    // Any bytes are accepted; ill-formed UTF-8 is encoded byte by byte where the vocabulary can.
    // Throws Error{unsupported} for a vocabulary without texts, Error{invalid_argument} above 1 GiB of text.
    std::vector<std::int32_t> encode(std::string_view text, EncodeOptions options = {}) const;

    // The segments' texts one after the other as one text, words and merges crossing the borders, but with
    // control tokens (if options.parse_special) only where every byte of them is from a template. So what a
    // user writes never becomes a control token, and anything else gives the ids of the plain text.
    std::vector<std::int32_t> encode(std::span<const TextSegment> segments, EncodeOptions options = {}) const;

    // The bytes of one token, which may be part of a UTF-8 character. Control and unknown tokens give
    // nothing unless `special`. Throws Error{invalid_argument} for an id out of range.
    std::string piece(std::int32_t id, bool special) const;

    // The text of a whole sequence: always well-formed UTF-8, U+FFFD for bytes that make no character.
    std::string decode(std::span<const std::int32_t> ids, DecodeOptions options = {}) const;

    // The id of the token with exactly this text in the file, or Vocabulary::no_id.
    std::int32_t find(std::string_view text) const;

    // Whether generation stops at `id`: EOS, EOT, and the special tokens that chat models end a turn with
    // (<|im_end|>, <|eot_id|>, <|eom_id|>, <|end_of_text|>, <|endoftext|>, <|end|>, <|EOT|>, <end_of_turn>,
    // </s>) as far as they are there. False for an id out of range.
    bool is_end_of_text(std::int32_t id) const;

  private:
    friend class TextDecoder;
    struct Impl;
    std::unique_ptr<const Impl> impl_;
};

// Ids to text as they are generated. What push() and flush() return is whole characters; all of it together
// is what Tokenizer::decode gives.
class TextDecoder {
  public:
    // `tokenizer` must outlive it.
    explicit TextDecoder(const Tokenizer& tokenizer, DecodeOptions options = {});
    std::string push(std::int32_t id);
    std::string flush();

  private:
    const Tokenizer* tokenizer_;
    DecodeOptions options_;
    bool drop_space_;
    Utf8Stream stream_;
};

} // namespace ingot::runtime
