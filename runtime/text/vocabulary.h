// A model's vocabulary as its file states it: the plain data that a Tokenizer is built from.
// Names and meanings are those of GGUF's tokenizer.ggml.* keys (ggml/docs/gguf.md, "Tokenizer").
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace ingot::runtime {

// tokenizer.ggml.token_type
enum class TokenType : std::int32_t {
    undefined = 0,
    normal = 1,
    unknown = 2,      // stands for text that the vocabulary can't express
    control = 3,      // <|im_end|> and the like: never text, matched in text only where that is asked for
    user_defined = 4, // added words, always matched before anything else
    unused = 5,
    byte = 6, // <0x00> to <0xFF>, SentencePiece's byte fallback
};

// The views in `tokens` and `merges` point into memory that `owner` keeps alive: a mapped file, a copy of
// the strings, anything. A Vocabulary may be copied freely; copies share the owner.
struct Vocabulary {
    enum class Model {
        bpe,  // "gpt2": byte-level byte-pair encoding
        spm,  // "llama": SentencePiece, merged by score
        none, // "none" and "test": ids without texts; the tokenizer then neither encodes nor decodes
    };
    Model model = Model::none;
    std::string pre;                      // tokenizer.ggml.pre, bpe only; known names: pretokenize.h
    std::vector<std::string_view> tokens; // raw bytes as in the file; at an index stands the token of that id
    std::vector<float> scores;            // one a token; required for spm, else possibly empty
    std::vector<TokenType> types;         // one a token; empty: all normal
    std::vector<std::string_view> merges; // bpe: "left right", best first
    std::shared_ptr<const void> owner;

    static constexpr std::int32_t no_id = -1;
    std::int32_t bos = no_id;
    std::int32_t eos = no_id;
    std::int32_t unk = no_id;
    std::int32_t pad = no_id;
    std::int32_t eot = no_id; // end of turn

    // Where the file is silent, the custom of the model holds: see adds_bos and adds_space_prefix.
    std::optional<bool> add_bos;
    std::optional<bool> add_eos;
    std::optional<bool> add_space_prefix;

    std::string chat_template; // Jinja source, empty where the model has none
};

// The model that tokenizer.ggml.model names: gpt2, llama, none or test (no_vocab is none too).
// Throws Error{unsupported} naming the others' name and the known ones.
Vocabulary::Model vocabulary_model_named(std::string_view name);

// Whether encoding starts with BOS. Unless stated: spm yes, bpe only with the pre-tokenizer llama-bpe.
bool adds_bos(const Vocabulary& vocabulary);
// Whether encoding ends with EOS. Unless stated: no.
bool adds_eos(const Vocabulary& vocabulary);
// Whether spm puts a space before text that starts or follows a special token. Unless stated: yes for spm.
bool adds_space_prefix(const Vocabulary& vocabulary);

// The type of a token whose id is in range.
TokenType type_of(const Vocabulary& vocabulary, std::int32_t id);

// Throws Error{bad_file} naming the first fault: lists of other lengths than the tokens, ids out of range,
// no tokens or more than 2^24, a type that doesn't exist, scores that aren't numbers, byte tokens that aren't
// <0xHH>, merges that aren't two parts, more than 2^24 merges, flags that need an id that is missing.
// An unknown pre-tokenizer is Error{unsupported} with the known ones.
void validate(const Vocabulary& vocabulary);

} // namespace ingot::runtime
