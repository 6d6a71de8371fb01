#include "runtime/text/tokenizer.h"

#include "runtime/error.h"
#include "runtime/text/bpe.h"
#include "runtime/text/byte_level.h"
#include "runtime/text/byte_token.h"
#include "runtime/text/special_tokens.h"
#include "runtime/text/spm.h"
#include "runtime/text/token_index.h"

#include <algorithm>
#include <array>
#include <optional>
#include <utility>

#include <fmt/format.h>

namespace ingot::runtime {
namespace {

// Positions are kept in 32 bits, and spm writes a space in three bytes.
constexpr std::size_t most_text = std::size_t{1} << 30;

constexpr std::array<std::string_view, 9> end_names{
    "<|im_end|>", "<|eot_id|>",    "<|eom_id|>", "<|end_of_text|>", "<|endoftext|>", "<|end|>",
    "<|EOT|>",    "<end_of_turn>", "</s>",
};

bool is_special(TokenType type) {
    return type == TokenType::control || type == TokenType::unknown || type == TokenType::user_defined;
}

std::string spm_text(std::string_view token) {
    std::string out;
    for (std::size_t at = 0; at < token.size();) {
        const bool space = token.substr(at).starts_with(spm_space);
        out.push_back(space ? ' ' : token[at]);
        at += space ? spm_space.size() : 1;
    }
    return out;
}

} // namespace

struct Tokenizer::Impl {
    explicit Impl(Vocabulary given);
    std::vector<std::int32_t> encode(std::string_view text, const ControlRanges& control,
                                     bool add_special) const;

    Vocabulary vocabulary;
    TokenIndex index;
    SpecialTokens special;
    std::optional<Bpe> bpe;
    std::optional<Spm> spm;
    bool space_prefix;
    std::vector<std::int32_t> ends; // sorted
};

Tokenizer::Impl::Impl(Vocabulary given) : vocabulary(std::move(given)) {
    validate(vocabulary);
    space_prefix = adds_space_prefix(vocabulary);
    if (vocabulary.model == Vocabulary::Model::none) return;
    // The index sees the vector's buffer, which stays where it is for as long as this object does.
    index = TokenIndex(vocabulary.tokens);
    special = SpecialTokens(vocabulary);
    if (vocabulary.model == Vocabulary::Model::bpe) {
        bpe.emplace(vocabulary, index);
        std::vector<float>().swap(vocabulary.scores);
    } else {
        spm.emplace(vocabulary, index);
    }
    std::vector<std::string_view>().swap(vocabulary.merges);

    for (const std::int32_t id : {vocabulary.eos, vocabulary.eot}) {
        if (id >= 0) ends.push_back(id);
    }
    for (const std::string_view name : end_names) {
        const std::int32_t id = index.find(name);
        if (id >= 0 && is_special(type_of(vocabulary, id))) ends.push_back(id);
    }
    std::ranges::sort(ends);
}

std::vector<std::int32_t> Tokenizer::Impl::encode(std::string_view text, const ControlRanges& control,
                                                  bool add_special) const {
    if (vocabulary.model == Vocabulary::Model::none) {
        throw Error(Code::unsupported, "tokenizer",
                    "the model has no vocabulary of texts, so it takes token ids only");
    }
    if (text.size() > most_text) {
        throw Error(Code::invalid_argument, "tokenizer", fmt::format("a text of {} bytes", text.size()));
    }
    std::vector<std::int32_t> ids;
    if (add_special && adds_bos(vocabulary)) ids.push_back(vocabulary.bos);
    bool after_special = true;
    for (const TextPart& part : special.partition(text, control)) {
        const std::string_view plain = text.substr(part.begin, part.end - part.begin);
        if (part.id >= 0) {
            ids.push_back(part.id);
        } else if (bpe) {
            bpe->encode(plain, ids);
        } else {
            spm->encode(plain, space_prefix && after_special, ids);
        }
        after_special = part.id >= 0;
    }
    if (add_special && adds_eos(vocabulary)) ids.push_back(vocabulary.eos);
    return ids;
}

Tokenizer::Tokenizer(Vocabulary vocabulary) : impl_(std::make_unique<const Impl>(std::move(vocabulary))) {}
Tokenizer::~Tokenizer() = default;
Tokenizer::Tokenizer(Tokenizer&&) noexcept = default;
Tokenizer& Tokenizer::operator=(Tokenizer&&) noexcept = default;

const Vocabulary& Tokenizer::vocabulary() const {
    return impl_->vocabulary;
}

std::size_t Tokenizer::size() const {
    return impl_->vocabulary.tokens.size();
}

std::vector<std::int32_t> Tokenizer::encode(std::string_view text, EncodeOptions options) const {
    ControlRanges control;
    if (!options.parse_special) control.exclude(0, text.size());
    return impl_->encode(text, control, options.add_special);
}

std::vector<std::int32_t> Tokenizer::encode(std::span<const TextSegment> segments,
                                            EncodeOptions options) const {
    ControlRanges control;
    std::string text;
    for (const TextSegment& segment : segments) {
        const std::size_t begin = text.size();
        text += segment.text;
        if (!segment.is_template || !options.parse_special) control.exclude(begin, text.size());
    }
    return impl_->encode(text, control, options.add_special);
}

std::string Tokenizer::piece(std::int32_t id, bool special) const {
    const Vocabulary& v = impl_->vocabulary;
    if (id < 0 || static_cast<std::size_t>(id) >= v.tokens.size()) {
        throw Error(
            Code::invalid_argument, "tokenizer",
            fmt::format("token {} is out of range: the vocabulary has {} tokens", id, v.tokens.size()));
    }
    const std::string_view token = v.tokens[static_cast<std::size_t>(id)];
    const TokenType type = type_of(v, id);
    if (type == TokenType::control || type == TokenType::unknown) return special ? std::string(token) : "";
    if (type == TokenType::user_defined || v.model == Vocabulary::Model::none) return std::string(token);
    if (type == TokenType::byte) {
        // validate() has seen that every byte token can be read.
        return std::string(1, static_cast<char>(byte_of_token(token).value_or(0)));
    }
    if (impl_->spm) return spm_text(token);
    std::string out;
    append_from_byte_level(out, token);
    return out;
}

std::string Tokenizer::decode(std::span<const std::int32_t> ids, DecodeOptions options) const {
    TextDecoder decoder(*this, options);
    std::string out;
    for (const std::int32_t id : ids) {
        out += decoder.push(id);
    }
    return out + decoder.flush();
}

std::int32_t Tokenizer::find(std::string_view text) const {
    return impl_->index.find(text);
}

bool Tokenizer::is_end_of_text(std::int32_t id) const {
    return std::ranges::binary_search(impl_->ends, id);
}

TextDecoder::TextDecoder(const Tokenizer& tokenizer, DecodeOptions options)
    : tokenizer_(&tokenizer), options_(options),
      drop_space_(options.at_start && tokenizer.impl_->space_prefix) {}

std::string TextDecoder::push(std::int32_t id) {
    const std::string piece = tokenizer_->piece(id, options_.special);
    if (is_special(type_of(tokenizer_->vocabulary(), id))) {
        drop_space_ = tokenizer_->impl_->space_prefix;
        return stream_.push(piece);
    }
    std::string_view text = piece;
    if (drop_space_ && text.starts_with(' ')) text.remove_prefix(1);
    drop_space_ = false;
    return stream_.push(text);
}

std::string TextDecoder::flush() {
    return stream_.flush();
}

} // namespace ingot::runtime
