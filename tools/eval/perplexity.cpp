#include "tools/eval/perplexity.h"

#include <algorithm>
#include <cmath>

#include <fmt/format.h>

#include "tools/driver/failure.h"
#include "tools/eval/distribution.h"

namespace ingot::tools {
namespace {

// Sum and spread of negative log-likelihoods.
struct Likelihood {
    double sum = 0, squares = 0;
    uint64_t count = 0;

    void add(double nll) {
        sum += nll;
        squares += nll * nll;
        ++count;
    }
    double perplexity() const { return std::exp(sum / static_cast<double>(count)); }
    double error() const {
        const auto n = static_cast<double>(count);
        const double mean = sum / n, variance = squares / n - mean * mean;
        return count > 1 && variance > 0 ? std::sqrt(variance / (n - 1)) * perplexity() : 0;
    }
};

// Logits after each of the positions `first` .. size-2 of a chunk.
void score_chunk(runtime::Session& session, std::span<const int32_t> chunk, size_t first,
                 const runtime::Session::LogitsCallback& each) {
    const runtime::SequenceId sequence = session.create_sequence();
    session.prefill(sequence, chunk.first(first));
    session.logits_for_all(sequence, chunk.subspan(first, chunk.size() - first - 1), each);
    session.free_sequence(sequence);
}

void check(const runtime::Session& session, size_t ids, uint32_t context) {
    if (context < 4 || context > session.context())
        throw Failure(
            ExitCode::bad_input, "--ctx",
            fmt::format("{} is not between 4 and the plan's context of {}", context, session.context()));
    if (ids < context)
        throw Failure(ExitCode::bad_input, "text",
                      fmt::format("it has {} tokens, less than one chunk of {}; give a longer text or a "
                                  "smaller --ctx",
                                  ids, context));
}

} // namespace

Perplexity measure_perplexity(runtime::Session& session, std::span<const int32_t> ids,
                              const PerplexityOptions& options, runtime::Session* reference) {
    check(session, ids.size(), options.context);
    if (reference != nullptr) check(*reference, ids.size(), options.context);
    const size_t context = options.context, first = context / 2, vocabulary = session.vocabulary_size();
    uint64_t chunks = ids.size() / context;
    if (options.chunks > 0) chunks = std::min<uint64_t>(chunks, options.chunks);

    Likelihood own, of_reference;
    Divergence divergence;
    uint64_t same = 0;
    std::vector<float> expected; // the reference's logits of the chunk
    std::vector<int32_t> chunk(context);
    Perplexity result{.tokens = ids.size()};
    for (uint64_t c = 0; c < chunks; ++c) {
        std::ranges::copy(ids.subspan(c * context, context), chunk.begin());
        if (options.bos) chunk[0] = *options.bos;
        if (reference != nullptr) {
            expected.resize((context - first - 1) * vocabulary);
            score_chunk(*reference, chunk, first, [&](uint32_t i, std::span<const float> logits) {
                of_reference.add(negative_log_likelihood(logits, chunk[first + i + 1]));
                std::ranges::copy(logits, expected.begin() + static_cast<std::ptrdiff_t>(i * vocabulary));
            });
        }
        score_chunk(session, chunk, first, [&](uint32_t i, std::span<const float> logits) {
            own.add(negative_log_likelihood(logits, chunk[first + i + 1]));
            if (reference == nullptr) return;
            const auto wanted = std::span<const float>(expected).subspan(i * vocabulary, vocabulary);
            const double kl = kl_divergence(wanted, logits);
            divergence.mean += kl;
            divergence.max = std::max(divergence.max, kl);
            same += best_token(wanted) == best_token(logits) ? 1 : 0;
        });
        result.running.push_back(own.perplexity());
        if (options.progress) options.progress(c + 1, chunks);
    }
    result.value = own.perplexity();
    result.error = own.error();
    result.scored = own.count;
    if (reference != nullptr) {
        divergence.mean /= static_cast<double>(own.count);
        divergence.same_best = static_cast<double>(same) / static_cast<double>(own.count);
        divergence.reference_perplexity = of_reference.perplexity();
        result.divergence = divergence;
    }
    return result;
}

} // namespace ingot::tools
