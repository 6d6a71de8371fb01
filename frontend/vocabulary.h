// The tokenizer's tables, as a GGUF file carries them under `tokenizer.ggml.*`.
// Source: the GGUF specification, "Tokenizer"; defaults of absent keys as llama.cpp has them.
#pragma once

#include "frontend/gguf/reader.h"

#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

namespace ingot::frontend {

enum class VocabularyModel {
    none, // no text, only ids: the file names no tokenizer, or one that this build does not know
    bpe,  // byte-level byte-pair encoding ("gpt2" in the file)
    spm,  // SentencePiece ("llama" in the file)
};

enum class TokenType : uint8_t { // the numbers are the file format's
    undefined = 0,
    normal = 1,
    unknown = 2,
    control = 3,
    user_defined = 4,
    unused = 5,
    byte = 6, // its text is <0xHH>, H a hexadecimal digit
};

struct Merge {
    std::string_view left, right; // neither is empty
};

// A plain reading: every view is into the file and lives as long as it. Token ids are indices into `tokens`.
struct Vocabulary {
    VocabularyModel model = VocabularyModel::none;
    std::string_view model_name; // as the file has it; empty if it has none
    std::string_view pre;        // the pre-tokenizer's name; empty if the file has none
    std::vector<std::string_view> tokens;
    std::vector<float> scores;    // one a token and no NaN, or empty
    std::vector<TokenType> types; // one a token; all `normal` where the file says nothing
    std::vector<Merge> merges;    // in order of rank, the first to be applied first
    std::optional<uint32_t> bos, eos, unknown, padding, end_of_turn, end_of_message;
    bool add_bos = false;
    bool add_eos = false;
    bool add_space_prefix = false;
    std::string_view chat_template; // Jinja; empty if the file has none
};

// ir::Error, naming the key, for: a value of another type; scores or types not one a token; types other than
// 0 to 6; a byte token other than <0xHH>; a merge that is not two parts with one space between; a
// `*_token_id` outside of the vocabulary; bpe or spm without tokens; bpe without merges; and what
// vocabulary_size refuses.
Vocabulary read_vocabulary(const gguf::File& file);

// How many token ids the model has: the key ARCH.vocab_size, else the tokenizer's list, else the rows of
// token_embd.weight. ir::Error that names every value if those that are there differ, or if it is 0 or above
// 2^31 - 1; nullopt if there is none of them.
std::optional<uint32_t> vocabulary_size(const gguf::File& file);

} // namespace ingot::frontend
