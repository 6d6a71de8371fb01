// Tokenizers and text decoders of ingot.h.
#include "runtime/c_api/objects.h"

#include "runtime/text/chat_prompt.h"

#include <algorithm>

#include <fmt/format.h>

using namespace ingot::runtime;
using namespace ingot::runtime::c_api;

namespace {

uint32_t known_flags(uint32_t flags, uint32_t known) {
    if ((flags & ~known) != 0)
        throw Error(Code::invalid_argument, "flags", fmt::format("{:#x} has unknown ones", flags));
    return flags;
}

EncodeOptions encode_options(uint32_t flags) {
    known_flags(flags, INGOT_ENCODE_ADD_SPECIAL | INGOT_ENCODE_PARSE_SPECIAL);
    return {.add_special = (flags & INGOT_ENCODE_ADD_SPECIAL) != 0,
            .parse_special = (flags & INGOT_ENCODE_PARSE_SPECIAL) != 0};
}

DecodeOptions decode_options(uint32_t flags) {
    known_flags(flags, INGOT_DECODE_SPECIAL | INGOT_DECODE_CONTINUES);
    return {.special = (flags & INGOT_DECODE_SPECIAL) != 0,
            .at_start = (flags & INGOT_DECODE_CONTINUES) == 0};
}

// As many ids as there is room for, and how many there are.
void hand_out(std::span<const int32_t> all, std::span<int32_t> room, size_t& count) {
    std::copy_n(all.begin(), std::min(all.size(), room.size()), room.begin());
    count = all.size();
}

// Keeps a decoder's text until the next call and hands it out.
void hand_out(ingot_text_decoder& decoder, std::string text, const char*& out, size_t& length) {
    decoder.text = std::move(text);
    out = decoder.text.c_str();
    length = decoder.text.size();
}

} // namespace

extern "C" {

ingot_code ingot_tokenizer_create(const ingot_plan* plan, ingot_tokenizer** tokenizer, ingot_error* error) {
    return guarded(error, [&] {
        ingot_tokenizer*& out = given(tokenizer, "tokenizer");
        const auto& file = given(plan, "plan").file;
        Vocabulary vocabulary = vocabulary_of(file);
        if (vocabulary.model == Vocabulary::Model::none)
            throw Error(Code::unsupported, file->path().string(), "the model has no vocabulary of texts");
        out = new ingot_tokenizer{std::make_shared<const Tokenizer>(std::move(vocabulary))};
    });
}

void ingot_tokenizer_free(ingot_tokenizer* tokenizer) {
    delete tokenizer;
}

ingot_code ingot_tokenizer_get_info(const ingot_tokenizer* tokenizer, ingot_tokenizer_info* info,
                                    ingot_error* error) {
    return guarded(error, [&] {
        const Vocabulary& v = given(tokenizer, "tokenizer").tokenizer->vocabulary();
        ingot_tokenizer_info& out = sized(info, "info");
        out.bos = v.bos;
        out.eos = v.eos;
        out.eot = v.eot;
        out.unknown = v.unk;
        out.padding = v.pad;
        out.tokens = static_cast<uint32_t>(v.tokens.size());
    });
}

ingot_code ingot_tokenizer_encode(const ingot_tokenizer* tokenizer, const char* text, size_t length,
                                  uint32_t flags, int32_t* ids, size_t capacity, size_t* count,
                                  ingot_error* error) {
    return guarded(error, [&] {
        const std::span<const char> bytes = given(text, length, "text");
        const std::span<int32_t> room = given(ids, capacity, "ids");
        size_t& needed = given(count, "count");
        const Tokenizer& t = *given(tokenizer, "tokenizer").tokenizer;
        hand_out(t.encode({bytes.data(), bytes.size()}, encode_options(flags)), room, needed);
    });
}

ingot_code ingot_tokenizer_encode_chat(const ingot_tokenizer* tokenizer, const ingot_chat_message* messages,
                                       size_t message_count, uint32_t flags, int32_t* ids, size_t capacity,
                                       size_t* count, ingot_error* error) {
    return guarded(error, [&] {
        std::vector<ChatMessage> all;
        for (const ingot_chat_message& m : given(messages, message_count, "messages"))
            all.push_back({.role = &given(m.role, "role"), .content = &given(m.content, "content")});
        const std::span<int32_t> room = given(ids, capacity, "ids");
        size_t& needed = given(count, "count");
        known_flags(flags, INGOT_CHAT_ADD_ANSWER);
        const Tokenizer& t = *given(tokenizer, "tokenizer").tokenizer;
        hand_out(encode_chat(t, chat_template_of(t), std::move(all),
                             {.add_generation_prompt = (flags & INGOT_CHAT_ADD_ANSWER) != 0}),
                 room, needed);
    });
}

ingot_code ingot_tokenizer_decode(const ingot_tokenizer* tokenizer, const int32_t* ids, size_t count,
                                  uint32_t flags, char* text, size_t capacity, size_t* length,
                                  ingot_error* error) {
    return guarded(error, [&] {
        const std::span<const int32_t> all = given(ids, count, "ids");
        const std::span<char> room = given(text, capacity, "text");
        size_t& needed = given(length, "length");
        const std::string whole = given(tokenizer, "tokenizer").tokenizer->decode(all, decode_options(flags));
        if (!room.empty()) {
            const size_t written = std::min(whole.size(), room.size() - 1);
            std::copy_n(whole.begin(), written, room.begin());
            room[written] = '\0';
        }
        needed = whole.size();
    });
}

ingot_code ingot_tokenizer_is_end_of_text(const ingot_tokenizer* tokenizer, int32_t id, int32_t* is_end,
                                          ingot_error* error) {
    return guarded(error, [&] {
        int32_t& out = given(is_end, "is_end");
        out = given(tokenizer, "tokenizer").tokenizer->is_end_of_text(id) ? 1 : 0;
    });
}

ingot_code ingot_text_decoder_create(const ingot_tokenizer* tokenizer, uint32_t flags,
                                     ingot_text_decoder** decoder, ingot_error* error) {
    return guarded(error, [&] {
        ingot_text_decoder*& out = given(decoder, "decoder");
        const auto& shared = given(tokenizer, "tokenizer").tokenizer;
        out = new ingot_text_decoder{
            .tokenizer = shared, .decoder = TextDecoder(*shared, decode_options(flags)), .text = {}};
    });
}

void ingot_text_decoder_free(ingot_text_decoder* decoder) {
    delete decoder;
}

ingot_code ingot_text_decoder_push(ingot_text_decoder* decoder, int32_t id, const char** text, size_t* length,
                                   ingot_error* error) {
    return guarded(error, [&] {
        ingot_text_decoder& d = given(decoder, "decoder");
        const char*& out = given(text, "text");
        size_t& bytes = given(length, "length");
        hand_out(d, d.decoder.push(id), out, bytes);
    });
}

ingot_code ingot_text_decoder_flush(ingot_text_decoder* decoder, const char** text, size_t* length,
                                    ingot_error* error) {
    return guarded(error, [&] {
        ingot_text_decoder& d = given(decoder, "decoder");
        const char*& out = given(text, "text");
        size_t& bytes = given(length, "length");
        hand_out(d, d.decoder.flush(), out, bytes);
    });
}
}
