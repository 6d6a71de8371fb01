// Tokens one after the other, from a prompt on.
#pragma once

#include "runtime/sampler.h"
#include "runtime/session.h"
#include "runtime/text/tokenizer.h"

#include <cstdint>
#include <functional>
#include <span>
#include <string_view>
#include <vector>

namespace ingot::runtime {

struct GenerateOptions {
    SamplerOptions sampler = {};
    std::uint32_t most_tokens = 256;
    // Called with each token as it is chosen, the one that ends the text included. False stops.
    std::function<bool(std::int32_t id)> on_token = {};
};

enum class Stop { end_of_text, length, context, callback };
std::string_view text(Stop stop);

struct Generated {
    std::vector<std::int32_t> ids; // that which ends the text included
    Stop stop = Stop::length;
    std::uint32_t reused = 0;  // positions of the prompt that the cache already had
    double prompt_seconds = 0; // to the prompt's logits
    double decode_seconds = 0; // of all steps after it
    std::uint32_t steps = 0;   // decode steps in that time
};

// Appends the prompt, at least one id, to the sequence and chooses tokens until the text ends, there are
// enough of them, the context is full or the callback wants no more. The last one chosen is not appended.
// Throws what the session and the sampler throw.
Generated generate(Session& session, SequenceId sequence, const Tokenizer& tokenizer,
                   std::span<const std::int32_t> prompt, const GenerateOptions& options);

} // namespace ingot::runtime
