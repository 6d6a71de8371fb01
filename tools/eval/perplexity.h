// Perplexity of a text, and what a faster computation loses against a slower one.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <vector>

#include "runtime/session.h"

namespace ingot::tools {

struct PerplexityOptions {
    uint32_t context = 512;     // tokens of a chunk
    uint32_t chunks = 0;        // at most so many; 0: all
    std::optional<int32_t> bos; // takes the place of each chunk's first token, where the model wants one
    std::function<void(uint64_t done, uint64_t total)> progress; // in chunks
};

struct Divergence {
    double mean = 0, max = 0; // of KL(reference || session), nats
    double same_best = 0;     // share of positions with the same best token
    double reference_perplexity = 0;
};

struct Perplexity {
    double value = 0;
    double error = 0; // standard error of `value`
    uint64_t tokens = 0, scored = 0;
    std::vector<double> running; // value after each chunk
    std::optional<Divergence> divergence;
};

// llama.cpp's method: the ids are cut into chunks of `context`, each computed by itself, and of a chunk
// positions context/2 .. context-2 predict the token that follows them. With a reference session, the same
// positions are computed by it too and compared. Throws Failure{bad_input} for a text shorter than a chunk or
// a context that the session does not hold.
Perplexity measure_perplexity(runtime::Session& session, std::span<const int32_t> ids,
                              const PerplexityOptions& options, runtime::Session* reference = nullptr);

} // namespace ingot::tools
