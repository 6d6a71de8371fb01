// Samplers and generation of ingot.h.
#include "runtime/c_api/objects.h"

#include "runtime/generate.h"

#include <cstring>

namespace ingot::runtime::c_api {

SamplerOptions sampler_options(const ingot_sampler_options* options) {
    const auto o = options_or<ingot_sampler_options>(options, INGOT_SAMPLER_OPTIONS_INIT, "sampler options");
    return {.temperature = o.temperature,
            .top_k = o.top_k,
            .top_p = o.top_p,
            .min_p = o.min_p,
            .repetition_penalty = o.repetition_penalty,
            .repetition_window = o.repetition_window,
            .seed = o.seed};
}

namespace {

ingot_stop stop_of(Stop stop) {
    switch (stop) {
    case Stop::end_of_text:
        return INGOT_STOP_END_OF_TEXT;
    case Stop::length:
        return INGOT_STOP_LENGTH;
    case Stop::context:
        return INGOT_STOP_CONTEXT;
    case Stop::callback:
        break;
    }
    return INGOT_STOP_CALLBACK;
}

// What both generating functions are given beside the prompt.
struct Request {
    Session& session;
    const Tokenizer& tokenizer;
    GenerateOptions options;
    ingot_text_callback callback;
    void* user;
    ingot_generated* result;
};

Request request_of(ingot_session* session, const ingot_tokenizer* tokenizer,
                   const ingot_generate_options* options, ingot_text_callback callback, void* user,
                   ingot_generated* result) {
    const auto o = options_or<ingot_generate_options>(options, INGOT_GENERATE_OPTIONS_INIT, "options");
    if (result != nullptr) sized(result, "result");
    return {.session = *given(session, "session").session,
            .tokenizer = *given(tokenizer, "tokenizer").tokenizer,
            .options = {.sampler = sampler_options(o.sampler), .most_tokens = o.max_tokens},
            .callback = callback,
            .user = user,
            .result = result};
}

void run(Request& request, SequenceId sequence, std::span<const int32_t> prompt) {
    TextDecoder decoder(request.tokenizer, {.special = false, .at_start = false});
    const auto tell = [&](int32_t id, const std::string& text) {
        return request.callback == nullptr ||
               request.callback(request.user, id, text.c_str(), text.size()) == 0;
    };
    request.options.on_token = [&](int32_t id) { return tell(id, decoder.push(id)); };
    const Generated out = generate(request.session, sequence, request.tokenizer, prompt, request.options);
    if (const std::string rest = decoder.flush(); !rest.empty() && out.stop != Stop::callback) tell(-1, rest);
    if (request.result == nullptr) return;
    request.result->stop = stop_of(out.stop);
    request.result->tokens = static_cast<uint32_t>(out.ids.size());
    request.result->steps = out.steps;
    request.result->reused = out.reused;
    request.result->prompt_seconds = out.prompt_seconds;
    request.result->decode_seconds = out.decode_seconds;
}

// A sequence for the time of one call.
class OwnSequence {
  public:
    explicit OwnSequence(Session& session) : session_(session), id_(session.create_sequence()) {}
    ~OwnSequence() { session_.free_sequence(id_); }
    OwnSequence(const OwnSequence&) = delete;
    OwnSequence& operator=(const OwnSequence&) = delete;
    SequenceId id() const { return id_; }

  private:
    Session& session_;
    SequenceId id_;
};

} // namespace
} // namespace ingot::runtime::c_api

using namespace ingot::runtime;
using namespace ingot::runtime::c_api;

extern "C" {

ingot_code ingot_sampler_create(const ingot_sampler_options* options, size_t vocabulary_size,
                                ingot_sampler** sampler, ingot_error* error) {
    return guarded(error, [&] {
        ingot_sampler*& out = given(sampler, "sampler");
        out = new ingot_sampler{Sampler(sampler_options(options), vocabulary_size)};
    });
}

void ingot_sampler_free(ingot_sampler* sampler) {
    delete sampler;
}

ingot_code ingot_sampler_sample(ingot_sampler* sampler, const float* logits, size_t count, int32_t* id,
                                ingot_error* error) {
    return guarded(error, [&] {
        int32_t& out = given(id, "id");
        out = given(sampler, "sampler").sampler.sample(given(logits, count, "logits"));
    });
}

ingot_code ingot_sampler_accept(ingot_sampler* sampler, int32_t id, ingot_error* error) {
    return guarded(error, [&] { given(sampler, "sampler").sampler.accept(id); });
}

ingot_code ingot_generate(ingot_session* session, ingot_sequence sequence, const ingot_tokenizer* tokenizer,
                          const int32_t* prompt, size_t count, const ingot_generate_options* options,
                          ingot_text_callback callback, void* user, ingot_generated* result,
                          ingot_error* error) {
    return guarded(error, [&] {
        Request request = request_of(session, tokenizer, options, callback, user, result);
        run(request, SequenceId{sequence}, given(prompt, count, "prompt"));
    });
}

ingot_code ingot_complete(ingot_session* session, const ingot_tokenizer* tokenizer, const char* prompt,
                          const ingot_generate_options* options, ingot_text_callback callback, void* user,
                          ingot_generated* result, ingot_error* error) {
    return guarded(error, [&] {
        Request request = request_of(session, tokenizer, options, callback, user, result);
        const std::vector<int32_t> ids = request.tokenizer.encode(&given(prompt, "prompt"));
        if (ids.empty()) throw Error(Code::invalid_argument, "prompt", "is empty");
        const OwnSequence sequence(request.session);
        run(request, sequence.id(), ids);
    });
}
}
