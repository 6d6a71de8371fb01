#include "frontend/vocabulary.h"

#include "frontend/gguf/text.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <cmath>
#include <string>

#include <fmt/format.h>

namespace ingot::frontend {
namespace {

using gguf::File;
using gguf::quoted;

constexpr std::string_view prefix = "tokenizer.ggml.";
constexpr std::string_view tokens_key = "tokenizer.ggml.tokens";
constexpr std::string_view scores_key = "tokenizer.ggml.scores";
constexpr std::string_view types_key = "tokenizer.ggml.token_type";
constexpr std::string_view merges_key = "tokenizer.ggml.merges";

VocabularyModel model_of(std::string_view name) {
    if (name == "gpt2") return VocabularyModel::bpe;
    if (name == "llama") return VocabularyModel::spm;
    return VocabularyModel::none;
}

// Pre-tokenizers whose models want the first token even where the file does not say so.
bool wants_bos(std::string_view pre) {
    constexpr std::array names = {"llama-bpe", "llama3", "llama-v3", "tekken", "chameleon"};
    return std::ranges::find(names, pre) != names.end();
}

void check_length(const File& file, std::string_view key, size_t entries, size_t tokens) {
    if (entries != tokens)
        file.fail(fmt::format("key '{}' has {} entries for {} tokens; there must be one a token", key,
                              entries, tokens));
}

std::vector<float> read_scores(const File& file, size_t tokens) {
    const auto scores = file.get<std::vector<float>>(scores_key);
    if (!scores) return {};
    check_length(file, scores_key, scores->size(), tokens);
    for (size_t i = 0; i < scores->size(); ++i)
        if (std::isnan((*scores)[i]))
            file.fail(fmt::format("key '{}': entry {} is not a number", scores_key, i));
    return *scores;
}

std::vector<TokenType> read_types(const File& file, size_t tokens) {
    const auto numbers = file.get<std::vector<int32_t>>(types_key);
    if (!numbers) return std::vector<TokenType>(tokens, TokenType::normal);
    check_length(file, types_key, numbers->size(), tokens);
    std::vector<TokenType> types;
    types.reserve(tokens);
    for (const int32_t number : *numbers) {
        if (number < 0 || number > static_cast<int32_t>(TokenType::byte))
            file.fail(fmt::format("key '{}': entry {} is {}; token types are 0 to 6", types_key, types.size(),
                                  number));
        types.push_back(static_cast<TokenType>(number));
    }
    return types;
}

bool is_byte_text(std::string_view text) {
    const auto hex = [](char c) { return std::isxdigit(static_cast<unsigned char>(c)) != 0; };
    return text.size() == 6 && text.starts_with("<0x") && hex(text[3]) && hex(text[4]) && text[5] == '>';
}

void check_byte_tokens(const File& file, const Vocabulary& vocabulary) {
    for (size_t i = 0; i < vocabulary.tokens.size(); ++i)
        if (vocabulary.types[i] == TokenType::byte && !is_byte_text(vocabulary.tokens[i]))
            file.fail(fmt::format(
                "key '{}': token {} is a byte token, but its text is {}, not '<0x00>' to '<0xFF>'",
                tokens_key, i, quoted(vocabulary.tokens[i])));
}

std::vector<Merge> read_merges(const File& file) {
    const auto lines = file.get<std::vector<std::string_view>>(merges_key);
    if (!lines) return {};
    std::vector<Merge> merges;
    merges.reserve(lines->size());
    for (const std::string_view line : *lines) {
        const size_t space = line.find(' ');
        // Spaces inside of tokens are written as another character, so one space is all that there can be.
        if (space == line.npos || space == 0 || space + 1 == line.size() ||
            line.find(' ', space + 1) != line.npos)
            file.fail(fmt::format("key '{}': entry {} is {}, not two parts with a space between", merges_key,
                                  merges.size(), quoted(line)));
        merges.push_back({.left = line.substr(0, space), .right = line.substr(space + 1)});
    }
    return merges;
}

// Every `tokenizer.ggml.*_token_id`, also those that nothing here uses, so that no bad one can hide.
void check_token_ids(const File& file, std::optional<uint32_t> size) {
    for (const auto& [key, value] : file.metadata()) {
        if (!key.starts_with(prefix) || !key.ends_with("_token_id")) continue;
        const auto id = file.require<uint32_t>(key);
        if (size && id >= *size)
            file.fail(
                fmt::format("key {} is {}, outside of the vocabulary of {} tokens", quoted(key), id, *size));
    }
}

void read_special_ids(const File& file, Vocabulary& vocabulary) {
    const auto id = [&](std::string_view key) {
        return file.get<uint32_t>(std::string(prefix) + std::string(key));
    };
    vocabulary.bos = id("bos_token_id");
    vocabulary.eos = id("eos_token_id");
    vocabulary.unknown = id("unknown_token_id");
    vocabulary.padding = id("padding_token_id");
    vocabulary.end_of_turn = id("eot_token_id");
    vocabulary.end_of_message = id("eom_token_id");
    if (vocabulary.model == VocabularyModel::spm && vocabulary.tokens.size() > 2) {
        // SentencePiece's own order of the first three tokens.
        if (!vocabulary.unknown) vocabulary.unknown = 0;
        if (!vocabulary.bos) vocabulary.bos = 1;
        if (!vocabulary.eos) vocabulary.eos = 2;
    }
}

void read_switches(const File& file, Vocabulary& vocabulary) {
    const bool spm = vocabulary.model == VocabularyModel::spm;
    const bool bpe = vocabulary.model == VocabularyModel::bpe;
    vocabulary.add_bos =
        file.get<bool>("tokenizer.ggml.add_bos_token").value_or(spm || (bpe && wants_bos(vocabulary.pre)));
    vocabulary.add_eos = file.get<bool>("tokenizer.ggml.add_eos_token").value_or(false);
    vocabulary.add_space_prefix = file.get<bool>("tokenizer.ggml.add_space_prefix").value_or(spm);
}

} // namespace

Vocabulary read_vocabulary(const File& file) {
    Vocabulary vocabulary;
    vocabulary.model_name = file.get<std::string_view>("tokenizer.ggml.model").value_or("");
    vocabulary.model = model_of(vocabulary.model_name);
    vocabulary.pre = file.get<std::string_view>("tokenizer.ggml.pre").value_or("");
    vocabulary.chat_template = file.get<std::string_view>("tokenizer.chat_template").value_or("");

    vocabulary.tokens =
        file.get<std::vector<std::string_view>>(tokens_key).value_or(std::vector<std::string_view>());
    if (vocabulary.model != VocabularyModel::none && vocabulary.tokens.empty())
        file.fail(fmt::format("key '{}' is missing or empty, but the tokenizer '{}' needs it", tokens_key,
                              vocabulary.model_name));
    if (vocabulary.model == VocabularyModel::bpe && file.find(merges_key) == nullptr)
        file.fail(fmt::format("key '{}' is missing, but the tokenizer '{}' needs it", merges_key,
                              vocabulary.model_name));

    const auto size = vocabulary_size(file);
    vocabulary.scores = read_scores(file, vocabulary.tokens.size());
    vocabulary.types = read_types(file, vocabulary.tokens.size());
    check_byte_tokens(file, vocabulary);
    vocabulary.merges = read_merges(file);
    check_token_ids(file, size);
    read_special_ids(file, vocabulary);
    read_switches(file, vocabulary);
    return vocabulary;
}

std::optional<uint32_t> vocabulary_size(const File& file) {
    struct Source {
        std::string name;
        uint64_t size;
    };
    std::vector<Source> sources;
    if (const auto architecture = file.get<std::string_view>("general.architecture")) {
        const std::string key = std::string(*architecture) + ".vocab_size";
        if (const auto size = file.get<uint64_t>(key)) sources.push_back({"key " + quoted(key), *size});
    }
    if (const gguf::Value* tokens = file.find(tokens_key)) {
        if (tokens->type != gguf::Type::array || tokens->element != gguf::Type::string)
            file.fail_type(tokens_key, gguf::wanted<std::vector<std::string_view>>(), *tokens);
        // An empty list says nothing: writers put one where a model has no tokenizer.
        if (tokens->count > 0) sources.push_back({fmt::format("key '{}'", tokens_key), tokens->count});
    }
    if (const gguf::TensorInfo* embedding = file.find_tensor("token_embd.weight"))
        sources.push_back({"tensor 'token_embd.weight'", embedding->rows()});
    if (sources.empty()) return std::nullopt;

    const uint64_t size = sources.front().size;
    const bool agree = std::ranges::all_of(sources, [&](const Source& s) { return s.size == size; });
    if (!agree || size == 0 || size > INT32_MAX) {
        std::string all;
        for (const Source& s : sources)
            all += fmt::format("{}{} has {}", all.empty() ? "" : ", ", s.name, s.size);
        file.fail(fmt::format("the vocabulary's size {}: {}",
                              agree ? "is not of 1 to 2147483647" : "is contradictory", all));
    }
    return static_cast<uint32_t>(size);
}

} // namespace ingot::frontend
