#include "runtime/text/vocabulary.h"

#include "runtime/error.h"
#include "runtime/text/byte_token.h"
#include "runtime/text/pretokenize.h"
#include "runtime/text/printable.h"

#include <cmath>

#include <fmt/format.h>

namespace ingot::runtime {
namespace {

// Ids are int32, and tables keyed by id pairs double in size twice; real vocabularies stay below 2^19.
constexpr std::size_t most_entries = std::size_t{1} << 24;

[[noreturn]] void fail(const char* key, const std::string& message) {
    throw Error(Code::bad_file, fmt::format("tokenizer.ggml.{}", key), message);
}

void check_id(const Vocabulary& v, const char* key, std::int32_t id) {
    if (id == Vocabulary::no_id) return;
    if (id < 0 || static_cast<std::size_t>(id) >= v.tokens.size()) {
        fail(key, fmt::format("{} is out of range: the vocabulary has {} tokens", id, v.tokens.size()));
    }
}

void check_length(const Vocabulary& v, const char* key, std::size_t length) {
    if (length != v.tokens.size()) {
        fail(key, fmt::format("{} entries for {} tokens", length, v.tokens.size()));
    }
}

void check_types(const Vocabulary& v) {
    if (v.types.empty()) return;
    check_length(v, "token_type", v.types.size());
    for (std::size_t id = 0; id < v.types.size(); ++id) {
        if (v.types[id] < TokenType::undefined || v.types[id] > TokenType::byte) {
            const auto number = static_cast<std::int32_t>(v.types[id]);
            fail("token_type", fmt::format("token {} has the type {}, which doesn't exist", id, number));
        }
        if (v.types[id] == TokenType::byte && !byte_of_token(v.tokens[id])) {
            fail("tokens", fmt::format("token {} is of type byte but reads {}, not <0xHH>", id,
                                       printable(v.tokens[id])));
        }
    }
}

void check_scores(const Vocabulary& v) {
    if (v.model == Vocabulary::Model::spm || !v.scores.empty()) check_length(v, "scores", v.scores.size());
    for (std::size_t id = 0; id < v.scores.size(); ++id) {
        if (std::isnan(v.scores[id]))
            fail("scores", fmt::format("the score of token {} is not a number", id));
    }
}

void check_merges(const Vocabulary& v) {
    if (v.merges.size() > most_entries) fail("merges", fmt::format("{} merges", v.merges.size()));
    for (std::size_t i = 0; i < v.merges.size(); ++i) {
        const std::string_view merge = v.merges[i];
        const std::size_t space = merge.find(' ');
        const bool two_parts = space != std::string_view::npos && space > 0 && space + 1 < merge.size() &&
                               merge.find(' ', space + 1) == std::string_view::npos;
        if (!two_parts) {
            fail("merges",
                 fmt::format("merge {} reads {}, not two parts with a space between", i, printable(merge)));
        }
    }
}

} // namespace

Vocabulary::Model vocabulary_model_named(std::string_view name) {
    if (name == "gpt2") return Vocabulary::Model::bpe;
    if (name == "llama") return Vocabulary::Model::spm;
    if (name == "none" || name == "no_vocab" || name == "test") return Vocabulary::Model::none;
    throw Error(
        Code::unsupported, "tokenizer.ggml.model",
        fmt::format("the tokenizer {} is not known; known are gpt2, llama, none, test", printable(name)));
}

bool adds_bos(const Vocabulary& v) {
    if (v.add_bos) return *v.add_bos;
    if (v.bos == Vocabulary::no_id) return false;
    if (v.model == Vocabulary::Model::spm) return true;
    return v.model == Vocabulary::Model::bpe && pretokenizer_named(v.pre) == PreTokenizer::llama3;
}

bool adds_eos(const Vocabulary& v) {
    return v.add_eos.value_or(false);
}

bool adds_space_prefix(const Vocabulary& v) {
    const bool spm = v.model == Vocabulary::Model::spm;
    return spm && v.add_space_prefix.value_or(true);
}

TokenType type_of(const Vocabulary& v, std::int32_t id) {
    return v.types.empty() ? TokenType::normal : v.types[static_cast<std::size_t>(id)];
}

void validate(const Vocabulary& v) {
    if (v.tokens.empty() && v.model != Vocabulary::Model::none) fail("tokens", "the vocabulary is empty");
    if (v.tokens.size() > most_entries) fail("tokens", fmt::format("{} tokens", v.tokens.size()));
    if (v.model != Vocabulary::Model::none) {
        check_id(v, "bos_token_id", v.bos);
        check_id(v, "eos_token_id", v.eos);
        check_id(v, "unknown_token_id", v.unk);
        check_id(v, "padding_token_id", v.pad);
        check_id(v, "eot_token_id", v.eot);
    }
    check_types(v);
    check_scores(v);
    check_merges(v);
    if (v.model == Vocabulary::Model::bpe) pretokenizer_named(v.pre);
    if (v.model == Vocabulary::Model::none) return;
    if (adds_bos(v) && v.bos == Vocabulary::no_id) fail("add_bos_token", "true, but bos_token_id is missing");
    if (adds_eos(v) && v.eos == Vocabulary::no_id) fail("add_eos_token", "true, but eos_token_id is missing");
}

} // namespace ingot::runtime
