// A session on a small random model, for tests of what sessions do.
#pragma once

#include "compiled_model.h"
#include "random_llama.h"

#include "runtime/open_device.h"
#include "runtime/session.h"

#include <memory>
#include <vector>

#include <gtest/gtest.h>

namespace ingot::tests {

using Ids = std::vector<std::int32_t>;
using Logits = std::vector<float>;

// Computes in f32, so that two ways to the same logits differ by nothing but the order of sums.
// 96 positions in pages of 16 for each of 4 sequences, 9 pages in all; 24 tokens of a prompt at once.
inline constexpr frontend::ImportOptions small_sizes{
    .context = 96, .max_tokens = 24, .max_rows = 3, .max_sequences = 4, .page_positions = 16};
inline constexpr std::uint32_t small_pages = 9;

inline const RandomLlama small_model{.shape = {.layers = 2,
                                               .embedding = 96,
                                               .heads = 3,
                                               .kv_heads = 1,
                                               .head_dim = 32,
                                               .ffn = 160,
                                               .vocabulary = 333,
                                               .matrices = ir::Element::q8_0}};

inline constexpr double same_nmse = 1e-10;

inline std::shared_ptr<const runtime::PlanFile> small_plan() {
    const TemporaryFile gguf("small.gguf", random_llama(small_model).bytes());
    return compile_model(gguf.path(), {.f32 = true, .import = small_sizes, .cached = true});
}

class SmallSession : public testing::Test {
  protected:
    void SetUp() override {
        device = runtime::open_device("host");
        plan = small_plan();
        session = open();
    }
    std::unique_ptr<runtime::Session> open(bool reuse_prefixes = true) const {
        return runtime::Session::open(plan, device,
                                      {.queue = {.threads = 2}, .reuse_prefixes = reuse_prefixes});
    }
    // Different ids for different `first`.
    static Ids ids(std::int32_t first, std::size_t count) {
        Ids out;
        for (std::size_t i = 0; i < count; ++i)
            out.push_back(static_cast<std::int32_t>((static_cast<std::size_t>(first) + i * 37) % 333));
        return out;
    }
    Logits logits(std::uint32_t row = 0) {
        const auto span = session->logits(row);
        return {span.begin(), span.end()};
    }
    Logits prefill(runtime::SequenceId sequence, const Ids& prompt) {
        session->prefill(sequence, prompt);
        return logits();
    }
    Logits decode(runtime::SequenceId sequence, std::int32_t token) {
        session->decode(sequence, token);
        return logits();
    }

    std::shared_ptr<runtime::Device> device;
    std::shared_ptr<const runtime::PlanFile> plan;
    std::unique_ptr<runtime::Session> session;
};

} // namespace ingot::tests
