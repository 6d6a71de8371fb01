// Ingot's C++ API (C++20): ingot.h with owners, spans and exceptions. What a function does, its rules and its
// errors stand there; here stands only what differs.
//
// - A fault is an ingot::Error. What a callback throws comes out of the call that it was given to.
// - A class owns one object: it can be moved and not copied. A moved-from one may only be assigned to or
//   destroyed.
// - It is a header over the C API, so library and program may be built by different compilers.
#ifndef INGOT_HPP
#define INGOT_HPP

#include <ingot.h>

#include <cstddef>
#include <cstdint>
#include <exception>
#include <functional>
#include <memory>
#include <span>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace ingot {

class Error : public std::runtime_error {
  public:
    explicit Error(const ingot_error& error) : std::runtime_error(error.message), code_(error.code) {}
    ingot_code code() const { return code_; }

  private:
    ingot_code code_;
};

namespace detail {

// Calls a function of the C API; its last parameter is the error.
template <class... Parameters, class... Arguments>
void call(ingot_code (*function)(Parameters...), Arguments&&... arguments) {
    ingot_error error;
    if (function(std::forward<Arguments>(arguments)..., &error) != INGOT_OK) throw Error(error);
}

// Of an object that lives until the call that this is written in has returned.
template <class T>
const T* address(const T&& temporary) {
    return &temporary;
}

template <class T, void (*release)(T*)>
struct Release {
    void operator()(T* object) const { release(object); }
};

// Holds a C object. `get` is for calls of the C API that have no wrapper here.
template <class T, void (*release)(T*)>
class Handle {
  public:
    T* get() const { return object_.get(); }

  protected:
    // Made by a function whose last parameters are the object and the error.
    template <class... Parameters, class... Arguments>
    explicit Handle(ingot_code (*make)(Parameters...), Arguments... arguments) {
        T* made = nullptr;
        call(make, arguments..., &made);
        object_.reset(made);
    }

  private:
    std::unique_ptr<T, Release<T, release>> object_;
};

// Keeps what a callback throws while C code is on the stack.
class Caught {
  public:
    // 0 to go on, 1 to stop.
    template <class F>
    int run(F&& callback) noexcept {
        try {
            return callback() ? 0 : 1;
        } catch (...) {
            exception_ = std::current_exception();
            return 1;
        }
    }
    void rethrow() const {
        if (exception_) std::rethrow_exception(exception_);
    }

  private:
    std::exception_ptr exception_;
};

} // namespace detail

inline std::string_view version() {
    return ingot_version();
}

class Plan : public detail::Handle<ingot_plan, ingot_plan_free> {
  public:
    explicit Plan(const std::string& path) : Handle(ingot_plan_open, path.c_str()) {}
    // The strings live as long as the plan.
    ingot_plan_info info() const {
        ingot_plan_info info = INGOT_PLAN_INFO_INIT;
        detail::call(ingot_plan_get_info, get(), &info);
        return info;
    }
};

class Device : public detail::Handle<ingot_device, ingot_device_free> {
  public:
    Device() : Handle(ingot_device_open, nullptr) {} // what suits this machine best
    explicit Device(const std::string& name) : Handle(ingot_device_open, name.c_str()) {}
    ingot_device_info info() const {
        ingot_device_info info = INGOT_DEVICE_INFO_INIT;
        detail::call(ingot_device_get_info, get(), &info);
        return info;
    }
};

struct LoadOptions {
    bool verify = false;
    std::string model_path = {}; // empty: where the plan says
};

class Model : public detail::Handle<ingot_model, ingot_model_free> {
  public:
    Model(const Plan& plan, const Device& device, const LoadOptions& options = {})
        : Handle(ingot_model_load, plan.get(), device.get(), detail::address(c_options(options))) {}

  private:
    static ingot_load_options c_options(const LoadOptions& options) {
        ingot_load_options o = INGOT_LOAD_OPTIONS_INIT;
        o.verify = options.verify ? 1 : 0;
        o.model_path = options.model_path.empty() ? nullptr : options.model_path.c_str();
        return o;
    }
};

struct SessionOptions {
    std::uint32_t threads = 0; // 0: one a physical core
    std::uint32_t spin_microseconds = 1000;
    bool reuse_prefixes = true;
};

using Sequence = ingot_sequence;
using Step = ingot_step;

class Session : public detail::Handle<ingot_session, ingot_session_free> {
  public:
    explicit Session(const Model& model, const SessionOptions& options = {})
        : Handle(ingot_session_open, model.get(), detail::address(c_options(options))) {}
    ingot_session_info info() const {
        ingot_session_info info = INGOT_SESSION_INFO_INIT;
        detail::call(ingot_session_get_info, get(), &info);
        return info;
    }

    Sequence create_sequence() {
        Sequence made = 0;
        detail::call(ingot_sequence_create, get(), &made);
        return made;
    }
    Sequence fork(Sequence sequence) {
        Sequence made = 0;
        detail::call(ingot_sequence_fork, get(), sequence, &made);
        return made;
    }
    void free_sequence(Sequence sequence) { detail::call(ingot_sequence_free, get(), sequence); }
    void truncate(Sequence sequence, std::uint32_t length) {
        detail::call(ingot_sequence_truncate, get(), sequence, length);
    }
    std::uint32_t length(Sequence sequence) const {
        std::uint32_t length = 0;
        detail::call(ingot_sequence_length, get(), sequence, &length);
        return length;
    }

    // How many positions were there already.
    std::uint32_t prefill(Sequence sequence, std::span<const std::int32_t> ids) {
        std::uint32_t reused = 0;
        detail::call(ingot_session_prefill, get(), sequence, ids.data(), ids.size(), &reused);
        return reused;
    }
    void decode(std::span<const Step> steps) {
        detail::call(ingot_session_decode, get(), steps.data(), steps.size());
    }
    void decode(Sequence sequence, std::int32_t token) {
        const Step step{sequence, token};
        decode(std::span(&step, 1));
    }
    // Valid until the next step.
    std::span<const float> logits(std::uint32_t row = 0) {
        const float* values = nullptr;
        detail::call(ingot_session_logits, get(), row, &values);
        return {values, info().vocabulary_size};
    }
    std::int32_t next(std::uint32_t row = 0) const {
        std::int32_t id = -1;
        detail::call(ingot_session_next, get(), row, &id);
        return id;
    }
    // `each(index, logits)`; what it throws takes the ids back from the sequence.
    void logits_for_all(Sequence sequence, std::span<const std::int32_t> ids,
                        const std::function<void(std::uint32_t, std::span<const float>)>& each) {
        struct Context {
            const std::function<void(std::uint32_t, std::span<const float>)>& each;
            detail::Caught caught;
        } context{each, {}};
        const auto callback = [](void* user, std::uint32_t index, const float* values, std::uint32_t count) {
            auto& c = *static_cast<Context*>(user);
            return c.caught.run([&] {
                c.each(index, {values, count});
                return true;
            });
        };
        ingot_error error;
        const ingot_code code =
            ingot_session_logits_for_all(get(), sequence, ids.data(), ids.size(), callback, &context, &error);
        context.caught.rethrow();
        if (code != INGOT_OK) throw Error(error);
    }

  private:
    static ingot_session_options c_options(const SessionOptions& options) {
        ingot_session_options o = INGOT_SESSION_OPTIONS_INIT;
        o.threads = options.threads;
        o.spin_microseconds = options.spin_microseconds;
        o.reuse_prefixes = options.reuse_prefixes ? 1 : 0;
        return o;
    }
};

struct EncodeOptions {
    bool add_special = true;   // BOS before and EOS after, where the vocabulary says so
    bool parse_special = true; // control tokens written out in the text become their ids
};

struct DecodeOptions {
    bool special = false;   // write control tokens out
    bool continues = false; // the ids go on from others
    std::uint32_t flags() const {
        return (special ? INGOT_DECODE_SPECIAL : 0U) | (continues ? INGOT_DECODE_CONTINUES : 0U);
    }
};

struct ChatMessage {
    std::string role; // "system", "user", "assistant"
    std::string content;
};

class Tokenizer : public detail::Handle<ingot_tokenizer, ingot_tokenizer_free> {
  public:
    explicit Tokenizer(const Plan& plan) : Handle(ingot_tokenizer_create, plan.get()) {}
    ingot_tokenizer_info info() const {
        ingot_tokenizer_info info = INGOT_TOKENIZER_INFO_INIT;
        detail::call(ingot_tokenizer_get_info, get(), &info);
        return info;
    }
    std::vector<std::int32_t> encode(std::string_view text, const EncodeOptions& options = {}) const {
        const std::uint32_t flags = (options.add_special ? INGOT_ENCODE_ADD_SPECIAL : 0U) |
                                    (options.parse_special ? INGOT_ENCODE_PARSE_SPECIAL : 0U);
        return ids_of(text.size() + 2, [&](std::int32_t* ids, std::size_t capacity, std::size_t* count) {
            detail::call(ingot_tokenizer_encode, get(), text.data(), text.size(), flags, ids, capacity,
                         count);
        });
    }
    // A conversation by the model's own template; `answer` ends it with what opens the assistant's turn.
    std::vector<std::int32_t> encode_chat(std::span<const ChatMessage> messages, bool answer = true) const {
        std::vector<ingot_chat_message> all;
        std::size_t bytes = 0;
        for (const ChatMessage& m : messages) {
            all.push_back({m.role.c_str(), m.content.c_str()});
            bytes += m.role.size() + m.content.size() + 64; // of the template around them
        }
        return ids_of(bytes, [&](std::int32_t* ids, std::size_t capacity, std::size_t* count) {
            detail::call(ingot_tokenizer_encode_chat, get(), all.data(), all.size(),
                         answer ? INGOT_CHAT_ADD_ANSWER : 0U, ids, capacity, count);
        });
    }
    std::string decode(std::span<const std::int32_t> ids, const DecodeOptions& options = {}) const {
        std::string text;
        std::size_t length = 0;
        detail::call(ingot_tokenizer_decode, get(), ids.data(), ids.size(), options.flags(), nullptr,
                     std::size_t{0}, &length);
        text.resize(length);
        detail::call(ingot_tokenizer_decode, get(), ids.data(), ids.size(), options.flags(), text.data(),
                     length + 1, &length);
        return text;
    }
    bool is_end_of_text(std::int32_t id) const {
        std::int32_t is_end = 0;
        detail::call(ingot_tokenizer_is_end_of_text, get(), id, &is_end);
        return is_end != 0;
    }

  private:
    // Of a function that fills what it is given room for and says how much it needs; `guess` may be too
    // small.
    template <class F>
    static std::vector<std::int32_t> ids_of(std::size_t guess, F&& fill) {
        std::vector<std::int32_t> ids(guess);
        std::size_t count = 0;
        fill(ids.data(), ids.size(), &count);
        const bool fits = count <= ids.size();
        ids.resize(count);
        if (!fits) fill(ids.data(), ids.size(), &count);
        return ids;
    }
};

class TextDecoder : public detail::Handle<ingot_text_decoder, ingot_text_decoder_free> {
  public:
    explicit TextDecoder(const Tokenizer& tokenizer, const DecodeOptions& options = {})
        : Handle(ingot_text_decoder_create, tokenizer.get(), options.flags()) {}
    // Valid until the next call.
    std::string_view push(std::int32_t id) {
        const char* text = nullptr;
        std::size_t length = 0;
        detail::call(ingot_text_decoder_push, get(), id, &text, &length);
        return {text, length};
    }
    std::string_view flush() {
        const char* text = nullptr;
        std::size_t length = 0;
        detail::call(ingot_text_decoder_flush, get(), &text, &length);
        return {text, length};
    }
};

struct SamplerOptions {
    float temperature = 0.8F;
    std::int32_t top_k = 40;
    float top_p = 0.95F;
    float min_p = 0.05F;
    float repetition_penalty = 1;
    std::int32_t repetition_window = 64;
    std::uint64_t seed = 0;
    ingot_sampler_options c_options() const {
        return {sizeof(ingot_sampler_options),
                temperature,
                top_k,
                top_p,
                min_p,
                repetition_penalty,
                repetition_window,
                seed};
    }
};

class Sampler : public detail::Handle<ingot_sampler, ingot_sampler_free> {
  public:
    Sampler(const SamplerOptions& options, std::size_t vocabulary_size)
        : Handle(ingot_sampler_create, detail::address(options.c_options()), vocabulary_size) {}
    std::int32_t sample(std::span<const float> logits) {
        std::int32_t id = -1;
        detail::call(ingot_sampler_sample, get(), logits.data(), logits.size(), &id);
        return id;
    }
    void accept(std::int32_t id) { detail::call(ingot_sampler_accept, get(), id); }
};

struct GenerateOptions {
    std::uint32_t max_tokens = 256;
    SamplerOptions sampler = {};
    // Is given each token and the text that it completes, at the end perhaps id -1 and what is left. False
    // stops.
    std::function<bool(std::int32_t id, std::string_view text)> on_text = {};
};

namespace detail {

// `function` is ingot_generate or ingot_complete; `arguments` are what stands before the options.
template <class Function, class... Arguments>
ingot_generated generate(Function function, const GenerateOptions& options, Arguments... arguments) {
    struct Context {
        const GenerateOptions& options;
        Caught caught;
    } context{options, {}};
    const auto callback = [](void* user, std::int32_t id, const char* text, std::size_t length) {
        auto& c = *static_cast<Context*>(user);
        return c.caught.run([&] { return !c.options.on_text || c.options.on_text(id, {text, length}); });
    };
    const ingot_sampler_options sampler = options.sampler.c_options();
    const ingot_generate_options c_options{sizeof(ingot_generate_options), options.max_tokens, &sampler};
    ingot_generated result = INGOT_GENERATED_INIT;
    ingot_error error;
    const ingot_code code = function(arguments..., &c_options, callback, &context, &result, &error);
    context.caught.rethrow();
    if (code != INGOT_OK) throw Error(error);
    return result;
}

} // namespace detail

inline ingot_generated generate(Session& session, Sequence sequence, const Tokenizer& tokenizer,
                                std::span<const std::int32_t> prompt, const GenerateOptions& options = {}) {
    return detail::generate(ingot_generate, options, session.get(), sequence, tokenizer.get(), prompt.data(),
                            prompt.size());
}

inline ingot_generated complete(Session& session, const Tokenizer& tokenizer, const std::string& prompt,
                                const GenerateOptions& options = {}) {
    return detail::generate(ingot_complete, options, session.get(), tokenizer.get(), prompt.c_str());
}

} // namespace ingot

#endif
