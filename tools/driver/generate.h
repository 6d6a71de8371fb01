// Tokens one after the other, from a prompt on.
#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <string_view>
#include <vector>

#include "runtime/sampler.h"
#include "runtime/session.h"
#include "runtime/text/tokenizer.h"

namespace ingot::tools {

struct GenerateOptions {
    runtime::SamplerOptions sampler;
    uint32_t most_tokens = 256;
    // Called with each token as it is chosen, the one that ends the text included.
    std::function<void(int32_t id)> on_token;
};

enum class Stop { end_of_text, length, context };
std::string_view text(Stop stop);

struct Generated {
    std::vector<int32_t> ids; // that which ends the text included
    Stop stop = Stop::length;
    uint32_t reused = 0;       // positions of the prompt that the cache already had
    double prompt_seconds = 0; // to the prompt's logits
    double decode_seconds = 0; // of all steps after it
    uint32_t steps = 0;        // decode steps in that time
};

// Appends the prompt, at least one id, to the sequence and chooses tokens until the text ends, there are
// enough of them, or the context is full. The last one chosen is not appended. Throws what the session and
// the sampler throw; Failure{failed} where a logit is NaN.
Generated generate(runtime::Session& session, runtime::SequenceId sequence,
                   const runtime::Tokenizer& tokenizer, std::span<const int32_t> prompt,
                   const GenerateOptions& options);

} // namespace ingot::tools
