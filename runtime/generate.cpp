#include "runtime/generate.h"

#include "runtime/error.h"

#include <algorithm>
#include <chrono>

namespace ingot::runtime {
namespace {

using Clock = std::chrono::steady_clock;

double seconds_since(Clock::time_point start) {
    return std::chrono::duration<double>(Clock::now() - start).count();
}

} // namespace

std::string_view text(Stop stop) {
    switch (stop) {
    case Stop::end_of_text:
        return "end of text";
    case Stop::length:
        return "length";
    case Stop::context:
        return "context full";
    case Stop::callback:
        break;
    }
    return "the caller";
}

Generated generate(Session& session, SequenceId sequence, const Tokenizer& tokenizer,
                   std::span<const std::int32_t> prompt, const GenerateOptions& options) {
    Sampler sampler(options.sampler, session.vocabulary_size());
    for (const std::int32_t id : prompt)
        sampler.accept(id);
    // The device has the best token already; only a choice among several needs the logits here.
    const bool greedy = options.sampler.temperature == 0 && options.sampler.repetition_penalty == 1;
    Generated out;
    out.ids.reserve(std::min(options.most_tokens, session.context()));
    const auto start = Clock::now();
    out.reused = session.prefill(sequence, prompt);
    out.prompt_seconds = seconds_since(start);

    const auto decode_start = Clock::now();
    while (out.ids.size() < options.most_tokens) {
        const std::int32_t id = greedy ? session.next() : sampler.sample(session.logits());
        if (id < 0) throw Error(Code::invalid_argument, "model", "a logit is not a number");
        out.ids.push_back(id);
        sampler.accept(id);
        const bool wanted = !options.on_token || options.on_token(id);
        if (tokenizer.is_end_of_text(id)) {
            out.stop = Stop::end_of_text;
            break;
        }
        if (!wanted) {
            out.stop = Stop::callback;
            break;
        }
        if (out.ids.size() == options.most_tokens) break;
        if (session.length(sequence) == session.context()) {
            out.stop = Stop::context;
            break;
        }
        session.decode(sequence, id);
        ++out.steps;
    }
    out.decode_seconds = seconds_since(decode_start);
    return out;
}

} // namespace ingot::runtime
